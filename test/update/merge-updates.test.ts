import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { applied, assertSame } from './documents.ts'
import { mix } from './histories.ts'
import { tries } from './tries.ts'

const merge = (updates: readonly Uint8Array[]): Uint8Array => mergeUpdates(updates.map(scanUpdate))

await t.test('A merged update has the effect of all updates', async () => {
  fc.assert(fc.property(mix, fc.boolean(), ({ history, updates }, gc) => {
    const one = applied([merge(updates)], gc)
    const all = applied(updates, gc)
    assertSame(one, all)
    // What was pending must still be there once the rest has come.
    for (const doc of history.docs) {
      Y.applyUpdate(one, Y.encodeStateAsUpdate(doc))
      Y.applyUpdate(all, Y.encodeStateAsUpdate(doc))
    }
    assertSame(one, all)
  }), { numRuns: tries(150) })
})

await t.test('A merged update holds the same clocks as with Yjs, in the same order', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    const merged = merge(updates)
    const yjs = Y.mergeUpdates([...updates, Uint8Array.of(0, 0)])
    assert.deepEqual(Y.encodeStateVectorFromUpdate(merged), Y.encodeStateVectorFromUpdate(yjs))
    const clients = Array.from(scanUpdate(merged).runs, ({ client }) => client)
    assert.deepEqual(clients, [...clients].sort((a, b) => b - a))
  }), { numRuns: tries(150) })
})

await t.test('Merging in groups, in another order or again changes only the cuts', async () => {
  fc.assert(fc.property(mix, fc.nat(), ({ updates }, n) => {
    const at = n % (updates.length + 1)
    const grouped = merge([merge(updates.slice(at)), merge(updates.slice(0, at)), merge(updates)])
    assertSame(applied([grouped]), applied([merge(updates)]))
    assert.deepEqual(merge([merge(updates), merge(updates)]), merge([merge(updates), Uint8Array.of(0, 0)]))
  }), { numRuns: tries(150) })
})

await t.test('Merged keystrokes are one run', async (t) => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const [i, character] of [...'typed 😀 text'].entries()) doc.getText('text').insert(i < 7 ? i : i + 1, character)
  t.equal(scanUpdate(merge(updates)).runs.length, 1)
  t.equal(applied([merge(updates.reverse())]).getText('text').toString(), 'typed 😀 text')
})

await t.test('Merging nothing gives an empty update', async (t) => {
  t.same(merge([]), Uint8Array.of(0, 0))
})

await t.test('Texts, lists, deletions and surrogate pairs are cut as in Yjs', async () => {
  const doc = new Y.Doc()
  doc.clientID = 7
  doc.getText('text').insert(0, 'ab😀cd')
  doc.getArray('array').insert(0, [1, 'ü', { x: null }, [2]])
  const map = doc.getMap('map').set('inner', new Y.Map())
  const whole = Y.encodeStateAsUpdate(doc)
  doc.getText('text').delete(0, 6)
  const deleted = Y.encodeStateAsUpdate(doc)
  map.set('gone', 'soon')
  doc.getMap('map').delete('inner')
  const collected = Y.encodeStateAsUpdate(doc)
  for (const full of [whole, deleted, collected]) {
    const later = Y.diffUpdate(full, Y.encodeStateVector(new Map([[7, 1]])))
    for (let clock = 2; clock < 11; clock++) {
      // An update that begins earlier and ends inside the other one, which is therefore cut there.
      const before = Uint8Array.of(1, 1, 7, 0, 0, clock, 0)
      const tail = structsOf(Y.diffUpdate(full, Y.encodeStateVector(new Map([[7, clock]]))))
      assert.deepEqual(structsOf(merge([before, later])).slice(1), tail, `cut at ${clock}`)
    }
  }
})

/** Each struct as Yjs decodes it, in a form that can be compared. */
function structsOf (update: Uint8Array): unknown[] {
  return Y.decodeUpdate(update).structs.map((struct) => {
    if (!(struct instanceof Y.Item)) return [struct.id, struct.length, struct.constructor.name]
    const { id, length, origin, rightOrigin, parent, parentSub, content } = struct
    const values = content.getContent().map(String)
    return [id, length, origin, rightOrigin, parent, parentSub, content.constructor.name, values]
  })
}
