import t from 'tap'
import * as Y from 'yjs'
import { Documents } from '../../src/documents/documents.ts'
import { typing, until } from '../sync/engine.ts'
import { InlineWork } from '../sync/inline-work.ts'
import { MemoryStore } from '../sync/memory-store.ts'

await t.test('A few documents are in memory at a time; others wait, and too many are refused', async (t) => {
  const store = new MemoryStore()
  for (const update of typing('a', 'b')) await store.append([{ document: 'room', update }])
  const documents = new Documents(store, new InlineWork())
  store.loads.shut()
  const reads = Array.from({ length: 1004 }, () => documents.read('room'))
  await t.rejects(documents.read('room'), { name: 'DocumentFailure', reason: 'busy' })
  await until(() => store.loads.waiting === 4)
  t.equal(store.loaded, 4)
  store.loads.open()
  const all = await Promise.all(reads)
  t.equal(all.length, 1004)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, all.at(-1)?.update ?? Uint8Array.of(0, 0))
  t.equal(doc.getText('text').toString(), 'ab')
})

await t.test('A store that cannot be read is reported as unavailable', async (t) => {
  const store = new MemoryStore()
  const documents = new Documents(store, new InlineWork())
  store.loads.fail()
  await t.rejects(documents.read('room'), { name: 'DocumentFailure', reason: 'unavailable' })
  await t.rejects(documents.find('room'), { name: 'DocumentFailure', reason: 'unavailable' })
  store.loads.heal()
  t.equal(await documents.read('room'), undefined)
})

await t.test('A read that is no longer wanted ends, and one that waits never begins', async (t) => {
  const store = new MemoryStore()
  const work = new InlineWork()
  for (const update of typing('a', 'b')) await store.append([{ document: 'room', update }])
  const documents = new Documents(store, work)
  store.loads.shut()
  const controller = new AbortController()
  const reads = Array.from({ length: 6 }, () => documents.read('room', controller.signal))
  const wanted = documents.read('room')
  await until(() => store.loads.waiting === 4)
  controller.abort()
  store.loads.open()
  for (const read of reads) await t.rejects(read, { name: 'DocumentFailure', reason: 'cancelled' })
  t.ok(await wanted)
  t.same([store.loaded, work.differences], [5, 1])
})

await t.test('The event loop continues while a document of many pieces is read', async (t) => {
  const store = new MemoryStore()
  const updates = typing(...Array.from({ length: 100 }, (_, at) => `${at} `))
  for (const update of updates) await store.append([{ document: 'room', update }])
  await store.compact('room', { replaces: 0, upTo: 100, pieces: updates, known: Uint8Array.of(0, 0) })
  let turns = 0
  let isRead = false
  const count = (): void => {
    turns++
    if (!isRead) setImmediate(count)
  }
  setImmediate(count)
  await new Documents(store, new InlineWork()).read('room')
  isRead = true
  t.ok(turns > 20, `${turns} turns`)
})
