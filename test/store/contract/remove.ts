import type { Test } from 'tap'
import { bytes, logOf, names } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for removal. */
export async function removeContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('A removal removes everything of the document', async (t) => {
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

  await t.test('A document created again continues above the numbers of the removed one', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('old')], known: bytes('k') })
    await store.remove('a')
    const [seq] = await store.append([{ document: 'a', update: bytes('new') }])
    t.ok(seq && seq > 3, 'a reader of entries above 3 must see it')
    t.same(logOf(await store.load('a', 3)), ['new'])
    t.equal(await store.compact('a', { replaces: 0, upTo: 3, pieces: [bytes('old')], known: bytes('k') }), undefined, 'a compaction of the old document changes nothing')
    t.equal(await store.compact('a', { replaces: 1, upTo: 3, pieces: [bytes('old')], known: bytes('k') }), undefined)
    const head = await store.compact('a', { replaces: 0, upTo: seq ?? 0, pieces: [bytes('fresh')], known: bytes('k') })
    t.ok(head && head.generation > 1, 'a piece of the old generation is not one of the new')
    t.equal(await store.readPiece('a', 1, 0), undefined)
  })
}
