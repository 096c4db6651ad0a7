import type { Test } from 'tap'
import { bytes, collect, filled, logOf, noise, text } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for compaction. */
export async function compactContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('A snapshot replaces the log entries that it holds', async (t) => {
    const { store, reopen } = await open(t)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    const head = await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('one'), bytes('two')], known: bytes('known') })
    t.same(head, { generation: 1, upTo: 2, pieces: 2, bytes: 6, known: bytes('known') })
    for (const view of [store, await reopen()]) {
      const stored = await view.load('a')
      const [info] = await collect(view.list())
      const { updatedAt } = info ?? {}
      t.same(stored, { snapshot: head, log: [{ seq: 3, update: bytes('3') }], lastSeq: 3, updatedAt, base: 0, hasTombstone: false })
      t.equal(text(await view.readPiece('a', 1, 0)), 'one')
      t.equal(text(await view.readPiece('a', 1, 1)), 'two')
      t.equal(await view.readPiece('a', 1, 2), undefined)
      t.equal(await view.readPiece('a', 2, 0), undefined)
      t.equal(await view.readPiece('none', 1, 0), undefined)
    }
    t.same(await store.append([{ document: 'a', update: bytes('4') }]), [4])
  })

  await t.test('A compaction removes the pieces of the previous snapshot', async (t) => {
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

  await t.test('Of several concurrent compactions one wins, and the rest change nothing', async (t) => {
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

  await t.test('A compaction keeps an append that happens meanwhile', async (t) => {
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

  await t.test('A compaction of a missing or removed document returns undefined', async (t) => {
    const { store } = await open(t)
    const next = { replaces: 0, upTo: 1, pieces: [bytes('x')], known: bytes('k') }
    t.equal(await store.compact('none', next), undefined)
    t.equal(await store.load('none'), undefined)
    await store.append([{ document: 'a', update: bytes('1') }])
    t.equal(await store.compact('a', { ...next, replaces: 7 }), undefined)
    await t.rejects(store.compact('a', { ...next, upTo: 2 }), RangeError, 'a snapshot cannot hold what was not given out')
    t.same(logOf(await store.load('a')), ['1'])
  })

  await t.test('A snapshot can have many pieces, large and empty ones', async (t) => {
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
}
