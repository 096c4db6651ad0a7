import type { Test } from 'tap'
import { bytes, logOf, noise } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for reads. */
export async function loadContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('The caller owns the bytes that a load returns', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('first') }])
    const once = await store.load('a')
    for (let at = 0; at < 50; at++) await store.append([{ document: `${at}`, update: noise(5000, at) }])
    t.same(logOf(once), ['first'])
    once?.log[0]?.update.fill(0)
    t.same(logOf(await store.load('a')), ['first'])
    t.equal(Object.getPrototypeOf(once?.log[0]?.update), Uint8Array.prototype, 'plain arrays: the slice of a Buffer shares its bytes')
  })

  await t.test('A load of a missing document returns undefined', async (t) => {
    const { store } = await open(t)
    t.equal(await store.load('none'), undefined)
    t.equal(await store.load('none', 5), undefined)
    await t.rejects(store.load(''), RangeError)
  })

  await t.test('A load returns only the entries above since', async (t) => {
    const { store } = await open(t)
    await store.append(['1', '2', '3', '4'].map((update) => ({ document: 'a', update: bytes(update) })))
    t.same(logOf(await store.load('a', 2)), ['3', '4'])
    t.same(logOf(await store.load('a', 4)), [])
    t.same(logOf(await store.load('a', 99)), [])
    t.equal((await store.load('a', 4))?.lastSeq, 4)
  })

  await t.test('A load with since below the snapshot returns all entries after the snapshot, whose upTo shows it', async (t) => {
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
}
