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
