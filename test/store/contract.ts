import fc from 'fast-check'
import type { Test } from 'tap'
import { MAX_SET_ASIDE_BYTES, MAX_SET_ASIDE_ENTRIES, SetAsideFull } from '../../src/store/set-aside.ts'
import { DamagedDocument, type DocumentInfo, type Store, type StoredDocument } from '../../src/store/store.ts'

/** An entry of the log, a piece of the snapshot, what it knows, or an update set aside. */
export type Damageable = 'entry' | 'piece' | 'known' | 'aside'

/** What a store's test gives to the contract. */
export interface Subject {
  readonly store: Store
  /** A second view of the same data, as another node or a restarted process has it. */
  readonly reopen: () => Promise<Store>
  /** Overwrites one byte of what is stored. */
  readonly damage: (document: string, what: Damageable) => Promise<void>
  /** Bytes that the data takes on the disk. */
  readonly diskBytes?: () => Promise<number>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: Uint8Array | undefined) => data && new TextDecoder('utf-8', { ignoreBOM: true }).decode(data)
const filled = (length: number, value: number) => new Uint8Array(length).fill(value)

/** Content that neither compresses nor repeats, and tells which bytes it should be. */
function noise (length: number, seed: number): Uint8Array {
  const data = new Uint8Array(length)
  let state = seed | 1
  for (let at = 0; at < length; at++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0
    data[at] = state >>> 24
  }
  return data
}

async function collect (list: AsyncIterable<DocumentInfo>): Promise<DocumentInfo[]> {
  const all: DocumentInfo[] = []
  for await (const info of list) all.push(info)
  return all
}

const names = async (list: AsyncIterable<DocumentInfo>) => (await collect(list)).map(({ document }) => document)
const logOf = (stored: StoredDocument | undefined) => stored?.log.map(({ update }) => text(update))

/**
 * What every store promises, told in the order of `Store`. `open` makes a fresh, empty store and ends it with the
 * test. The rules are named so that a failing line says which promise is broken.
 */
export async function storeContract (t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  await t.test('append: numbers rise from 1 and the log keeps the order', async (t) => {
    const { store } = await open(t)
    t.same(await store.append([{ document: 'a', update: bytes('1') }, { document: 'b', update: bytes('x') }, { document: 'a', update: bytes('2') }]), [1, 1, 2])
    t.same(await store.append([{ document: 'a', update: bytes('3') }]), [3])
    const stored = await store.load('a')
    t.same(logOf(stored), ['1', '2', '3'])
    t.same(stored?.log.map(({ seq }) => seq), [1, 2, 3])
    t.equal(stored?.lastSeq, 3)
    t.equal(stored?.snapshot, undefined)
    t.same(logOf(await store.load('b')), ['x'])
  })

  await t.test('append: nothing to add is fine', async (t) => {
    const { store } = await open(t)
    t.same(await store.append([]), [])
  })

  await t.test('append: an empty update is kept as one', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: new Uint8Array() }])
    t.same((await store.load('a'))?.log, [{ seq: 1, update: new Uint8Array() }])
  })

  await t.test('append: calls made before the last one has settled keep their order', async (t) => {
    const { store } = await open(t)
    const calls = Array.from({ length: 200 }, (_, at) => store.append([{ document: 'a', update: bytes(`${at}`) }, { document: `b${at % 7}`, update: bytes(`${at}`) }]))
    const seqs = (await Promise.all(calls)).map(([seq]) => seq)
    t.same(seqs, Array.from({ length: 200 }, (_, at) => at + 1))
    t.same(logOf(await store.load('a')), Array.from({ length: 200 }, (_, at) => `${at}`))
    t.same(logOf(await store.load('b3')), Array.from({ length: 200 }, (_, at) => at).filter((at) => at % 7 === 3).map(String))
  })

  await t.test('append: is visible to a load that begins after it resolved', async (t) => {
    const { store } = await open(t)
    for (let at = 1; at <= 300; at++) {
      const [seq] = await store.append([{ document: 'a', update: bytes(`${at}`) }])
      const stored = await store.load('a', at - 1)
      if (stored?.lastSeq !== seq || logOf(stored)?.[0] !== `${at}`) return t.fail(`entry ${at} was not there`)
    }
    t.pass('each of 300')
  })

  await t.test('append: a bad name refuses the whole call', async (t) => {
    const { store } = await open(t)
    for (const document of ['', 'x'.repeat(256), '\ud83d', 'a\0b']) {
      await t.rejects(store.append([{ document: 'good', update: bytes('1') }, { document, update: bytes('2') }]), RangeError)
    }
    t.equal(await store.load('good'), undefined)
  })

  await t.test('append: bytes handed in may be used again once it has settled', async (t) => {
    const { store } = await open(t)
    const update = bytes('first')
    await store.append([{ document: 'a', update }])
    update.fill(0)
    t.same(logOf(await store.load('a')), ['first'])
  })

  await t.test('load: bytes handed out are the caller\'s own', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('first') }])
    const once = await store.load('a')
    for (let at = 0; at < 50; at++) await store.append([{ document: `${at}`, update: noise(5000, at) }])
    t.same(logOf(once), ['first'])
    once?.log[0]?.update.fill(0)
    t.same(logOf(await store.load('a')), ['first'])
    t.equal(Object.getPrototypeOf(once?.log[0]?.update), Uint8Array.prototype, 'plain arrays: the slice of a Buffer shares its bytes')
  })

  await t.test('append: 10 MB and one byte in the same call', async (t) => {
    const { store } = await open(t)
    const large = noise(10 * 1024 * 1024, 5)
    await store.append([{ document: 'a', update: large }, { document: 'a', update: bytes('x') }])
    const [first, second] = (await store.load('a'))?.log ?? []
    t.ok(first && Buffer.compare(first.update, large) === 0)
    t.equal(text(second?.update), 'x')
  })

  await t.test('append: across a second view of the data', async (t) => {
    const { store, reopen } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const again = await reopen()
    t.same(logOf(await again.load('a')), ['1'])
  })

  await t.test('create: of 50 at once exactly one', async (t) => {
    const { store } = await open(t)
    const made = await Promise.all(Array.from({ length: 50 }, (_, at) => store.create('a', bytes(`${at}`))))
    t.equal(made.filter(Boolean).length, 1)
    t.same(logOf(await store.load('a')), [`${made.indexOf(true)}`])
    t.equal(await store.create('a', bytes('late')), false)
    t.equal((await store.load('a'))?.lastSeq, 1)
  })

  await t.test('create: races with append', async (t) => {
    const { store } = await open(t)
    const [[appended], created] = await Promise.all([store.append([{ document: 'a', update: bytes('appended') }]), store.create('a', bytes('created'))])
    t.same(logOf(await store.load('a')), created ? ['created', 'appended'] : ['appended'])
    t.equal(appended, created ? 2 : 1)
  })

  await t.test('create: after a removal it makes the document again', async (t) => {
    const { store } = await open(t)
    t.equal(await store.create('a', bytes('1')), true)
    await store.remove('a')
    t.equal(await store.create('a', bytes('2')), true)
    t.same(logOf(await store.load('a')), ['2'])
  })

  await t.test('load: of a document that is not there', async (t) => {
    const { store } = await open(t)
    t.equal(await store.load('none'), undefined)
    t.equal(await store.load('none', 5), undefined)
    await t.rejects(store.load(''), RangeError)
  })

  await t.test('load: since gives what is above', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3', '4'].map((update) => ({ document: 'a', update: bytes(update) })))
    t.same(logOf(await store.load('a', 2)), ['3', '4'])
    t.same(logOf(await store.load('a', 4)), [])
    t.same(logOf(await store.load('a', 99)), [])
    t.equal((await store.load('a', 4))?.lastSeq, 4)
  })

  await t.test('load: since below the snapshot gives all behind it, and the snapshot says so', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3', '4', '5'].map((update) => ({ document: 'a', update: bytes(update) })))
    await store.compact('a', { replaces: 0, upTo: 3, pieces: [bytes('123')], known: bytes('k') })
    const below = await store.load('a', 1)
    t.same(logOf(below), ['4', '5'])
    t.ok(below?.snapshot && below.snapshot.upTo > 1)
    const above = await store.load('a', 4)
    t.same(logOf(above), ['5'])
    t.ok(above?.snapshot && above.snapshot.upTo <= 4)
  })

  await t.test('compact: the snapshot stands in for the log it holds', async (t) => {
    const { store, reopen } = await open(t)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    const head = await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('one'), bytes('two')], known: bytes('known') })
    t.same(head, { generation: 1, upTo: 2, pieces: 2, bytes: 6, known: bytes('known') })
    for (const view of [store, await reopen()]) {
      const stored = await view.load('a')
      t.same(stored, { snapshot: head, log: [{ seq: 3, update: bytes('3') }], lastSeq: 3 })
      t.equal(text(await view.readPiece('a', 1, 0)), 'one')
      t.equal(text(await view.readPiece('a', 1, 1)), 'two')
      t.equal(await view.readPiece('a', 1, 2), undefined)
      t.equal(await view.readPiece('a', 2, 0), undefined)
      t.equal(await view.readPiece('none', 1, 0), undefined)
    }
    t.same(await store.append([{ document: 'a', update: bytes('4') }]), [4])
  })

  await t.test('compact: the pieces before are gone', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [bytes('one'), bytes('two')], known: bytes('k') })
    await store.append([{ document: 'a', update: bytes('2') }])
    const head = await store.compact('a', { replaces: 1, upTo: 2, pieces: [bytes('both')], known: bytes('kk') })
    t.equal(head?.generation, 2)
    t.equal(await store.readPiece('a', 1, 0), undefined)
    t.equal(await store.readPiece('a', 1, 1), undefined)
    t.equal(text(await store.readPiece('a', 2, 0)), 'both')
    t.equal(await store.readPiece('a', 2, 1), undefined)
    t.same((await store.load('a'))?.log, [])
    const [info] = await collect(store.list())
    t.equal(info?.snapshotBytes, 4)
    t.equal(info?.logBytes, 0)
  })

  await t.test('compact: of several at once one wins, and the others change nothing', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    const heads = await Promise.all([1, 2, 3, 1, 2, 3].map((upTo, at) => store.compact('a', { replaces: 0, upTo, pieces: [bytes(`by ${at}`)], known: bytes(`${at}`) })))
    const winner = heads.findIndex((head) => head !== undefined)
    t.equal(heads.filter((head) => head !== undefined).length, 1)
    const stored = await store.load('a')
    t.same(stored?.snapshot, heads[winner])
    t.equal(text(await store.readPiece('a', 1, 0)), `by ${winner}`)
    t.same(stored?.log.map(({ seq }) => seq), [1, 2, 3].filter((seq) => seq > (heads[winner]?.upTo ?? 0)))
  })

  await t.test('compact: an append meanwhile stays', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const [head, [seq]] = await Promise.all([
      store.compact('a', { replaces: 0, upTo: 1, pieces: [noise(3_000_000, 1)], known: bytes('k') }),
      store.append([{ document: 'a', update: bytes('2') }]),
    ])
    t.equal(head?.upTo, 1)
    t.equal(seq, 2)
    t.same(logOf(await store.load('a')), ['2'])
  })

  await t.test('compact: of what is not there, or no more', async (t) => {
    const { store } = await open(t)
    const next = { replaces: 0, upTo: 1, pieces: [bytes('x')], known: bytes('k') }
    t.equal(await store.compact('none', next), undefined)
    t.equal(await store.load('none'), undefined)
    await store.append([{ document: 'a', update: bytes('1') }])
    t.equal(await store.compact('a', { ...next, replaces: 7 }), undefined)
    await t.rejects(store.compact('a', { ...next, upTo: 2 }), RangeError, 'a snapshot cannot hold what was not given out')
    t.same(logOf(await store.load('a')), ['1'])
  })

  await t.test('compact: many pieces, large and empty ones', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const pieces = [...Array.from({ length: 45 }, (_, at) => noise(256 * 1024, at)), new Uint8Array(), filled(1, 7)]
    const head = await store.compact('a', { replaces: 0, upTo: 1, pieces, known: noise(60_000, 9) })
    t.equal(head?.bytes, 45 * 256 * 1024 + 1)
    for (let index = 0; index < pieces.length; index++) {
      const piece = await store.readPiece('a', 1, index)
      if (!piece || Buffer.compare(piece, pieces[index] ?? bytes('?')) !== 0) return t.fail(`piece ${index} is another`)
    }
    t.same((await store.load('a'))?.snapshot?.known, noise(60_000, 9))
  })

  await t.test('set aside: kept beside the document until it is removed', async (t) => {
    const { store, reopen } = await open(t)
    const before = Date.now()
    t.same(await store.setAside('none'), [])
    t.equal(await store.removeSetAside('none'), 0)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('1')], known: bytes('k'), setAside: [{ update: bytes('2'), reason: 'two' }, { update: new Uint8Array(), reason: '' }] })
    await store.compact('a', { replaces: 1, upTo: 3, pieces: [bytes('1')], known: bytes('k'), setAside: [{ update: bytes('3'), reason: 'ж' }] })
    await store.append([{ document: 'a', update: bytes('4') }, { document: 'b', update: bytes('x') }])
    await store.compact('a', { replaces: 2, upTo: 4, pieces: [bytes('14')], known: bytes('k') })
    for (const view of [store, await reopen()]) {
      const found = await view.setAside('a')
      t.same(found.map(({ seq, update, reason }) => ({ seq, update, reason })), [
        { seq: 1, update: bytes('2'), reason: 'two' }, { seq: 2, update: new Uint8Array(), reason: '' }, { seq: 3, update: bytes('3'), reason: 'ж' },
      ])
      t.ok(found.every(({ at }) => Math.abs(at - before) < 60_000))
      t.equal(Object.getPrototypeOf(found[0]?.update), Uint8Array.prototype)
      t.same(await view.setAside('b'), [])
      t.same((await collect(view.list())).map(({ document, setAside }) => [document, setAside]), [['a', 3], ['b', 0]])
      t.equal(text(await view.readPiece('a', 3, 0)), '14')
    }
    t.equal(await store.removeSetAside('a'), 3)
    t.same(await store.setAside('a'), [])
    t.equal(await store.removeSetAside('a'), 0)
    t.equal((await collect(store.list()))[0]?.setAside, 0)
    t.equal(text(await store.readPiece('a', 3, 0)), '14', 'the document stays')
  })

  await t.test('set aside: with the snapshot or not at all', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }, { document: 'a', update: bytes('2') }])
    const next = (by: number) => ({ replaces: 0, upTo: 1, pieces: [bytes('x')], known: bytes('k'), setAside: [{ update: bytes('2'), reason: `by ${by}` }] })
    t.equal(await store.compact('a', { ...next(0), replaces: 7 }), undefined)
    t.equal(await store.compact('none', next(0)), undefined)
    await t.rejects(store.compact('a', { ...next(0), upTo: 3 }), RangeError)
    t.same(await store.setAside('a'), [])
    const heads = await Promise.all([1, 2, 3].map((by) => store.compact('a', next(by))))
    t.same((await store.setAside('a')).map(({ reason }) => reason), [`by ${1 + heads.findIndex((head) => head !== undefined)}`])
  })

  await t.test('set aside: gone with its document, and none of the next one of that name', async (t) => {
    const { store } = await open(t)
    const setAside = [{ update: bytes('x'), reason: 'old' }]
    for (let round = 0; round < 2; round++) {
      const [seq = 0] = await store.append([{ document: 'a', update: bytes('1') }])
      t.same(await store.setAside('a'), [])
      t.equal((await collect(store.list()))[0]?.setAside, 0)
      t.ok(await store.compact('a', { replaces: 0, upTo: seq, pieces: [], known: bytes('k'), setAside }))
      t.equal((await store.setAside('a')).length, 1)
      await store.remove('a')
      t.same(await store.setAside('a'), [])
      t.equal(await store.removeSetAside('a'), 0)
    }
  })

  await t.test('set aside: any reason is kept as one line, large updates as they are', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const updates = [noise(9 << 20, 1), noise(100, 2), noise(5 << 20, 3)]
    const reasons = ['a\0b\nc\ud800', '😀'.repeat(2000), 'plain']
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [], known: bytes('k'), setAside: updates.map((update, at) => ({ update, reason: reasons[at] ?? '' })) })
    const found = await store.setAside('a')
    t.same(found.map(({ reason }) => reason), ['a b c\ufffd', '😀'.repeat(250), 'plain'])
    t.ok(found.length === 3 && found.every(({ update }, at) => Buffer.compare(update, updates[at] ?? bytes('?')) === 0))
  })

  await t.test('set aside: a document that holds enough takes no more, and nothing is lost', async (t) => {
    const { store } = await open(t)
    const many = Array.from({ length: MAX_SET_ASIDE_ENTRIES }, (_, at) => ({ update: bytes(`${at}`), reason: 'many' }))
    const large = [{ update: filled(MAX_SET_ASIDE_BYTES, 1), reason: 'large' }]
    for (const [document, setAside] of Object.entries({ many, large })) {
      await store.append(['1', '2', '3'].map((update) => ({ document, update: bytes(update) })))
      const next = { replaces: 0, upTo: 1, pieces: [bytes('1')], known: bytes('k') }
      t.ok(await store.compact(document, { ...next, setAside }))
      const more = { ...next, replaces: 1, upTo: 2, setAside: [{ update: bytes('2'), reason: 'more' }] }
      await t.rejects(store.compact(document, more), SetAsideFull)
      t.match(await store.load(document), { snapshot: { generation: 1, upTo: 1 }, log: [{ seq: 2 }, { seq: 3 }] })
      t.equal(text(await store.readPiece(document, 1, 0)), '1')
      t.equal((await store.setAside(document)).length, setAside.length)
      t.ok(await store.compact(document, { ...more, setAside: [] }), 'a snapshot that leaves nothing out goes on')
      t.equal(await store.removeSetAside(document), setAside.length)
      t.ok(await store.compact(document, { ...more, replaces: 2, upTo: 3 }))
    }
  })

  await t.test('remove: nothing is left', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }, { document: 'b', update: bytes('x') }])
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [bytes('one')], known: bytes('k') })
    await store.append([{ document: 'a', update: bytes('2') }])
    t.equal(await store.remove('a'), true)
    t.equal(await store.remove('a'), false)
    t.equal(await store.load('a'), undefined)
    t.equal(await store.readPiece('a', 1, 0), undefined)
    t.same(await names(store.list()), ['b'])
    t.same(logOf(await store.load('b')), ['x'])
  })

  await t.test('remove: a document made again goes on above the numbers of the old one', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('old')], known: bytes('k') })
    await store.remove('a')
    const [seq] = await store.append([{ document: 'a', update: bytes('new') }])
    t.ok(seq && seq > 3, 'who waits for entries above 3 must see it')
    t.same(logOf(await store.load('a', 3)), ['new'])
    t.equal(await store.compact('a', { replaces: 0, upTo: 3, pieces: [bytes('old')], known: bytes('k') }), undefined, 'a snapshot of the old one does not come back')
    t.equal(await store.compact('a', { replaces: 1, upTo: 3, pieces: [bytes('old')], known: bytes('k') }), undefined)
    const head = await store.compact('a', { replaces: 0, upTo: seq ?? 0, pieces: [bytes('fresh')], known: bytes('k') })
    t.ok(head && head.generation > 1, 'a piece of the old generation is not one of the new')
    t.equal(await store.readPiece('a', 1, 0), undefined)
  })

  await t.test('names: any script, exactly, up to 255 characters', async (t) => {
    const { store } = await open(t)
    const all = ['a', 'A', 'a ', 'é', 'e\u0301', '文档', '😀', '\uffee', '%2F', 'a/b', "'\"; drop table --", '_', '%', 'ß', 'ss', 'ı', '\\', 'x'.repeat(255), '文'.repeat(255), '😀'.repeat(255), '\ufeff', '\u200b', '__proto__']
    await store.append(all.map((document) => ({ document, update: bytes(document) })))
    for (const document of all) t.same(logOf(await store.load(document)), [document], JSON.stringify(document).slice(0, 20))
    t.same(await names(store.list()), [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  })

  await t.test('list: in order, with prefix and after', async (t) => {
    const { store } = await open(t)
    const all = ['a', 'a/1', 'a/10', 'a/2', 'a_', 'a0', 'b', 'a%', 'c', 'ä']
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    const ordered = [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    t.same(await names(store.list()), ordered)
    t.same(await names(store.list({ prefix: 'a/' })), ['a/1', 'a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a_' })), ['a_'])
    t.same(await names(store.list({ prefix: 'a%' })), ['a%'])
    t.same(await names(store.list({ prefix: 'a/', after: 'a/1' })), ['a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'a/15' })), ['a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'A' })), ['a/1', 'a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'b' })), [])
    t.same(await names(store.list({ after: 'b' })), ['c', 'ä'])
    t.same(await names(store.list({ prefix: 'nothing' })), [])
  })

  await t.test('list: more than fit one read, and leaving it early', async (t) => {
    const { store } = await open(t)
    const all = Array.from({ length: 1500 }, (_, at) => `doc-${`${at}`.padStart(5, '0')}`)
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    t.same(await names(store.list()), all)
    t.same(await names(store.list({ prefix: 'doc-', after: 'doc-00999' })), all.slice(1000))
    for await (const { document } of store.list()) if (document === 'doc-00300') break
    t.same(await store.remove('doc-00300'), true)
    t.equal((await names(store.list())).length, 1499)
    t.equal(await store.count(), 1499)
  })

  await t.test('list: sizes and times', async (t) => {
    const { store } = await open(t)
    const before = Date.now()
    await store.append([{ document: 'a', update: filled(10, 1) }, { document: 'a', update: filled(20, 1) }])
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [filled(5, 1), filled(6, 1)], known: bytes('k') })
    await store.append([{ document: 'a', update: filled(30, 1) }])
    const [info] = await collect(store.list())
    const { createdAt, updatedAt, ...sizes } = info ?? { createdAt: 0, updatedAt: 0 }
    t.same(sizes, { document: 'a', snapshotBytes: 11, logBytes: 50, logEntries: 2, lastSeq: 3, setAside: 0 })
    // The clock may be the database's.
    t.ok(Math.abs(createdAt - before) < 60_000 && updatedAt >= createdAt)
  })

  await t.test('damage: is recognised, told, and not mended by guessing', async (t) => {
    const { store, damage, reopen } = await open(t)
    for (const document of ['entry', 'piece', 'known', 'aside']) {
      await store.append([{ document, update: noise(1000, 1) }])
      await store.compact(document, { replaces: 0, upTo: 1, pieces: [noise(5000, 2)], known: noise(100, 3), setAside: [{ update: noise(1000, 5), reason: 'damaged' }] })
      await store.append([{ document, update: noise(1000, 4) }])
    }
    await damage('entry', 'entry')
    await damage('piece', 'piece')
    await damage('known', 'known')
    await damage('aside', 'aside')
    const again = await reopen()
    await t.rejects(again.load('entry'), DamagedDocument)
    await t.resolves(again.load('piece'))
    await t.rejects(again.readPiece('piece', 1, 0), DamagedDocument)
    await t.rejects(again.load('known'), DamagedDocument)
    await t.rejects(again.setAside('aside'), DamagedDocument)
    await t.resolves(again.load('aside'))
    t.equal((await again.setAside('known')).length, 1, 'what is set aside of a damaged document can be read')
    t.same(await names(again.list()), ['aside', 'entry', 'known', 'piece'])
    t.equal(await store.removeSetAside('aside'), 1)
  })

  await t.test('ping and close', async (t) => {
    const { store, reopen } = await open(t)
    await store.ping()
    const appended = store.append([{ document: 'a', update: bytes('1') }])
    await store.close()
    t.same(await appended, [1], 'close waits for what was handed in')
    await t.rejects(store.append([{ document: 'a', update: bytes('2') }]))
    const again = await reopen()
    t.same(logOf(await again.load('a')), ['1'])
  })

  await t.test('any history: the store tells what a simple model tells', async (t) => {
    const document = fc.constantFrom('a', 'b', 'ab')
    const size = fc.oneof({ weight: 8, arbitrary: fc.nat(200) }, { weight: 2, arbitrary: fc.nat(20_000) }, { weight: 1, arbitrary: fc.nat(300_000) })
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), entries: fc.array(fc.record({ document, size }), { maxLength: 6 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('create' as const), document, size }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('compact' as const), document, keep: fc.nat(3), pieces: fc.array(size, { minLength: 1, maxLength: 4 }), aside: fc.array(size, { maxLength: 2 }), stale: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('removeSetAside' as const), document }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), document }) }
    )
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { store } = await open(t)
      const model = new Model()
      for (const [at, next] of steps.entries()) {
        if (next.kind === 'append') {
          const entries = next.entries.map(({ document, size }, index) => ({ document, update: noise(size, at * 10 + index) }))
          model.append(entries, await store.append(entries))
        } else if (next.kind === 'create') {
          const update = noise(next.size, at)
          const made = await store.create(next.document, update)
          if (made === model.documents.has(next.document)) throw new Error(`step ${at}: created ${made}`)
          if (made) model.append([{ document: next.document, update }], [(await store.load(next.document))?.lastSeq ?? 0])
        } else if (next.kind === 'remove') {
          if (await store.remove(next.document) !== model.documents.delete(next.document)) throw new Error(`step ${at}: removed`)
        } else if (next.kind === 'removeSetAside') {
          const aside = model.documents.get(next.document)?.aside.splice(0) ?? []
          if (await store.removeSetAside(next.document) !== aside.length) throw new Error(`step ${at}: removed what is set aside`)
        } else {
          const known = model.documents.get(next.document)
          const upTo = Math.max((known?.lastSeq ?? 1) - next.keep, known?.upTo ?? 0, known?.firstSeq ?? 0)
          const pieces = next.pieces.map((size, index) => noise(size, at * 10 + index))
          const replaces = (known?.generation ?? 0) + (next.stale ? 1 : 0)
          const aside = next.aside.map((size, index) => noise(size, at * 10 + index + 5))
          const head = await store.compact(next.document, { replaces, upTo, pieces, known: noise(50, at), setAside: aside.map((update) => ({ update, reason: `step ${at}` })) })
          if ((head !== undefined) !== (known !== undefined && !next.stale)) throw new Error(`step ${at}: compacted`)
          if (known && head) model.compact(known, upTo, pieces, aside, head.generation)
        }
        await model.compare(store, `step ${at}`)
      }
      await store.close()
    }), { numRuns: 30 })
  })
}

interface ModelDocument {
  firstSeq: number
  lastSeq: number
  log: { seq: number, update: Uint8Array }[]
  generation: number
  upTo: number
  pieces: Uint8Array[]
  aside: Uint8Array[]
}

/** The contract in the simplest form. */
class Model {
  readonly documents = new Map<string, ModelDocument>()
  readonly highest = new Map<string, number>()

  append (entries: readonly { document: string, update: Uint8Array }[], seqs: readonly number[]): void {
    entries.forEach(({ document, update }, at) => {
      const seq = seqs[at] ?? 0
      let known = this.documents.get(document)
      if (!known) this.documents.set(document, known = { firstSeq: seq, lastSeq: 0, log: [], generation: 0, upTo: 0, pieces: [], aside: [] })
      if (seq <= (this.highest.get(document) ?? 0)) throw new Error(`${seq} was given out before`)
      known.lastSeq = seq
      this.highest.set(document, seq)
      known.log.push({ seq, update })
    })
  }

  compact (known: ModelDocument, upTo: number, pieces: Uint8Array[], aside: Uint8Array[], generation: number): void {
    if (generation <= known.generation) throw new Error('generations rise')
    known.log = known.log.filter(({ seq }) => seq > upTo)
    Object.assign(known, { upTo, pieces, aside: [...known.aside, ...aside], generation })
  }

  async compare (store: Store, where: string): Promise<void> {
    for (const document of ['a', 'b', 'ab']) {
      const known = this.documents.get(document)
      const stored = await store.load(document)
      if (!known || !stored) {
        if (known || stored) throw new Error(`${where}: ${document} ${stored ? 'exists' : 'does not exist'}`)
        continue
      }
      if (stored.lastSeq !== known.lastSeq) throw new Error(`${where}: last seq ${stored.lastSeq}, not ${known.lastSeq}`)
      if (stored.log.length !== known.log.length || !known.log.every(({ seq, update }, at) => stored.log[at]?.seq === seq && Buffer.compare(stored.log[at].update, update) === 0)) throw new Error(`${where}: the log differs`)
      if ((stored.snapshot?.generation ?? 0) !== known.generation || (stored.snapshot?.upTo ?? 0) !== known.upTo) throw new Error(`${where}: the head differs`)
      for (const [index, piece] of known.pieces.entries()) {
        const found = await store.readPiece(document, known.generation, index)
        if (!found || Buffer.compare(found, piece) !== 0) throw new Error(`${where}: piece ${index} differs`)
      }
      const aside = await store.setAside(document)
      if (aside.length !== known.aside.length || !known.aside.every((update, at) => aside[at] && Buffer.compare(aside[at].update, update) === 0)) throw new Error(`${where}: what is set aside differs`)
    }
    const infos = await collect(store.list())
    const expected = [...this.documents].sort(([a], [b]) => a < b ? -1 : 1).map(([document, { log, pieces, lastSeq, aside }]) => [document, sum(log.map(({ update }) => update)), log.length, sum(pieces), lastSeq, aside.length])
    const told = infos.map(({ document, logBytes, logEntries, snapshotBytes, lastSeq, setAside }) => [document, logBytes, logEntries, snapshotBytes, lastSeq, setAside])
    if (JSON.stringify(told) !== JSON.stringify(expected)) throw new Error(`${where}: the list tells ${JSON.stringify(told)}, not ${JSON.stringify(expected)}`)
  }
}

const sum = (parts: Uint8Array[]) => parts.reduce((total, { length }) => total + length, 0)
