import t from 'tap'
import * as Y from 'yjs'
import { build } from '../helper.ts'
import { Visitor } from '../../bench/durability/visitor.ts'
import { storedText } from './stored-text.ts'

t.test('Fifty clients that open a new document with the same initial content do not duplicate it', async (t) => {
  const app = await build(t)
  const made = await Promise.all(Array.from({ length: 50 }, async () => {
    // Each client creates the content itself: to Yjs these are fifty different insertions.
    const seed = new Y.Doc()
    seed.getText('text').insert(0, 'Welcome')
    const isFirst = await app.store.create('seeded', Y.encodeStateAsUpdate(seed))
    const visitor = await Visitor.join(app.rooms, 'seeded')
    visitor.leave()
    return isFirst
  }))
  t.equal(made.filter(Boolean).length, 1)
  t.equal(await storedText(app.store, 'seeded'), 'Welcome')
})

t.test('Fifty clients that send identical bytes do not duplicate them', async (t) => {
  const app = await build(t)
  const seed = new Y.Doc()
  seed.getText('text').insert(0, 'Welcome')
  const bytes = Y.encodeStateAsUpdate(seed)
  await Promise.all(Array.from({ length: 50 }, async () => {
    const visitor = await Visitor.join(app.rooms, 'same')
    visitor.update(bytes)
    visitor.leave()
  }))
  await app.rooms.flushed()
  t.equal(await storedText(app.store, 'same'), 'Welcome')
  t.equal((await app.store.load('same'))?.log.length, 1)
})
