import type { Test } from 'tap'
import type { Store } from '../../../src/store/store.ts'
import { bytes, logOf, names, text } from './content.ts'
import type { OpenSubject } from './subject.ts'

const add = async (store: Store, update: string, after?: number): Promise<number> =>
  (await store.append([{ document: 'a', update: bytes(update), ...after === undefined ? {} : { after } }]))[0] ?? -1

/** The rules of every store for updates of documents that were removed meanwhile (`LogEntry.after`). */
export async function staleContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('An update of a removed document does not bring it back', async (t) => {
    const { store } = await open(t)
    const first = await add(store, '1', 0)
    t.ok(first > 0)
    const last = await add(store, '2', first)
    t.equal(await store.remove('a', bytes('deleted')), true)
    for (const after of [0, first, last]) t.equal(await add(store, 'stale', after), 0)
    t.equal(await store.load('a'), undefined)
    t.same(await names(store.list()), [])
  })

  await t.test('Nor is it added to a document that has the name now', async (t) => {
    const { store, reopen } = await open(t)
    await add(store, '1')
    const last = await add(store, '2')
    await store.remove('a', bytes('deleted'))
    t.ok(await store.create('a', bytes('new')))
    const { lastSeq = 0, base = 0, hasTombstone } = await store.load('a') ?? {}
    t.ok(base >= last && lastSeq > base, 'its numbers tell it from the removed one')
    t.equal(hasTombstone, true)
    for (const after of [0, 1, last]) t.equal(await add(store, 'stale', after), 0)
    t.ok(await add(store, 'more', lastSeq) > lastSeq)
    t.same(logOf(await store.load('a')), ['new', 'more'])
    const view = await (await reopen()).load('a')
    t.equal(view?.base, base)
    t.equal(view?.hasTombstone, true)
  })

  await t.test('Updates of other documents in the same call are stored', async (t) => {
    const { store } = await open(t)
    const last = await add(store, 'old')
    await store.remove('a', bytes('deleted'))
    const [after = 0] = await store.append([{ document: 'b', update: bytes('1') }])
    const seqs = await store.append([
      { document: 'a', update: bytes('stale'), after: last },
      { document: 'b', update: bytes('2'), after },
      { document: 'a', update: bytes('stale'), after: last },
      { document: 'c', update: bytes('x'), after: 0 },
      { document: 'b', update: bytes('3') },
    ])
    t.equal(seqs.length, 5)
    t.same(seqs.map((seq) => seq > 0), [false, true, false, true, true])
    t.ok((seqs[4] ?? 0) > (seqs[1] ?? 0))
    t.equal(await store.load('a'), undefined)
    t.same([...logOf(await store.load('b')) ?? []].sort(), ['1', '2', '3'])
    t.same(logOf(await store.load('c')), ['x'])
  })

  await t.test('Updates of a removed document and of its successor can come in one call', async (t) => {
    const { store } = await open(t)
    const old = await add(store, 'old')
    await store.remove('a', bytes('deleted'))
    const fresh = await add(store, 'new')
    const seqs = await store.append([
      { document: 'a', update: bytes('stale'), after: old },
      { document: 'a', update: bytes('more'), after: fresh },
      { document: 'a', update: bytes('stale'), after: 0 },
    ])
    t.same(seqs.map((seq) => seq > 0), [false, true, false])
    t.same(logOf(await store.load('a')), ['new', 'more'])
  })

  await t.test('A document that does not exist, and left no tombstone, can be created by its first update', async (t) => {
    const { store } = await open(t)
    t.ok(await add(store, '1') > 0)
    t.equal(await store.remove('a'), true)
    t.ok(await add(store, '2', 0) > 0, 'removed without a tombstone')
    t.equal(await store.remove('a', bytes('deleted')), true)
    await store.removeTombstones(Date.now() + 1000)
    const seq = await add(store, '3', 0)
    t.ok(seq > 0, 'the tombstone is old')
    t.ok(await add(store, '4', 0) > seq, 'it exists by now')
    t.same(logOf(await store.load('a')), ['3', '4'])
    t.equal((await store.load('a'))?.hasTombstone, false)
  })

  await t.test('A document is removed only at the number that was read', async (t) => {
    const { store } = await open(t)
    const read = await add(store, '1')
    const last = await add(store, '2')
    t.equal(await store.remove('a', bytes('deleted'), read), false)
    t.same(logOf(await store.load('a')), ['1', '2'])
    t.equal(await store.tombstone('a'), undefined, 'nothing is changed')
    t.equal(await store.remove('a', bytes('deleted'), last), true)
    t.equal(await store.remove('a', bytes('deleted'), last), false)
  })

  await t.test('A tombstone is replaced unless it has changed since it was read', async (t) => {
    const { store } = await open(t)
    await add(store, '1')
    await store.remove('a', bytes('one'))
    const before = await store.tombstone('a')
    if (before === undefined) return t.fail('there is no tombstone')
    t.equal(await store.replaceTombstone('a', before, bytes('one and two')), true)
    t.equal(await store.replaceTombstone('a', before, bytes('one and three')), false)
    const now = await store.tombstone('a')
    t.equal(text(now?.deleted), 'one and two')
    t.equal(now?.at, before.at, 'the time stays that of the deletion')
    await store.removeTombstones(Date.now() + 1000)
    if (now !== undefined) t.equal(await store.replaceTombstone('a', now, bytes('four')), false)
    t.equal(await store.tombstone('a'), undefined)
  })

  await t.test('Many tombstones are removed, and only the old ones', async (t) => {
    const { store } = await open(t)
    const documents = Array.from({ length: 150 }, (_, at) => `d${at}`)
    await store.append(documents.map((document) => ({ document, update: bytes('x') })))
    for (const document of documents) await store.remove(document, bytes('deleted'))
    const { at = 0 } = await store.tombstone('d149') ?? {}
    const removed = await store.removeTombstones(at)
    t.ok(removed < 150)
    t.ok(await store.tombstone('d149'))
    t.equal(await store.removeTombstones(at + 1), 150 - removed)
  })

  await t.test('Whatever is removed while others write, no update of it is left', async (t) => {
    const { store } = await open(t)
    for (let round = 0; round < 20; round++) {
      const first = await add(store, `first ${round}`)
      const writes = Array.from({ length: 10 }, (_, at) => add(store, `${round} ${at}`, at % 2 === 0 ? first : 0))
      const removal = store.remove('a', bytes('deleted'))
      const late = Array.from({ length: 10 }, () => add(store, `late ${round}`, first))
      const revival = store.create('a', bytes(`new ${round}`))
      await Promise.all([...writes, removal, ...late])
      if (!await revival) await store.create('a', bytes(`new ${round}`))
      t.same(logOf(await store.load('a')), [`new ${round}`])
      t.equal(await store.remove('a', bytes('deleted')), true)
      // As after 30 days: the next round begins with a first update again.
      await store.removeTombstones(Date.now() + 1000)
    }
  })
}
