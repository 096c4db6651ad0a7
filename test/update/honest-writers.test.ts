import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import * as Yrs from 'ywasm'
import { Dropped } from '../../src/convert/dropped.ts'
import { markdownToUpdate } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { inspectUpdate } from '../../src/update/inspect-update.ts'
import { Known } from '../../src/update/known.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { trimUpdate } from '../../src/update/trim-update.ts'
import { markdownDocuments } from '../convert/documents.ts'
import { applied, assertSame } from './documents.ts'
import { mix } from './histories.ts'

/** Accepts the updates as a room does. None is rejected or set aside, and nothing of them is lost. */
function assertAccepted (updates: readonly Uint8Array[]): void {
  const known = new Known()
  const log: Uint8Array[] = []
  for (const update of updates) {
    const scan = trimUpdate(scanUpdate(update), known.stateVector)
    inspectUpdate(scan.bytes, log)
    known.add(scan)
    log.push(scan.bytes)
  }
  assertSame(applied(log), applied(updates))
  assert.deepEqual(snapshotPieces(log, 1000).setAside, [])
}

await t.test('No update of Yjs is rejected: typing, formats, undo, elements, subdocuments, with and without collection, merged, in any order', async () => {
  fc.assert(fc.property(mix, ({ history, updates }) => {
    const whole = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    assertAccepted([...updates, ...whole])
    for (const state of whole) {
      assertAccepted([state])
      for (const update of updates) {
        const held = Y.encodeStateVectorFromUpdate(Y.mergeUpdates([Uint8Array.of(0, 0), update]))
        scanUpdate(Y.diffUpdate(state, held))
      }
    }
  }), { numRuns: 60 })
})

await t.test('No update of Yjs for a key that was set often is rejected, collected or not', async () => {
  for (const gc of [true, false]) {
    const doc = new Y.Doc({ gc })
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    const inner = new Y.Map<unknown>()
    doc.getMap('map').set('inner', inner)
    for (let i = 0; i < 5; i++) inner.set('key', i)
    doc.transact(() => { for (let i = 0; i < 5; i++) inner.set('key', i) })
    const before = Y.encodeStateAsUpdate(doc)
    doc.getMap('map').delete('inner')
    assertAccepted(updates)
    assertAccepted([before, Y.encodeStateAsUpdate(doc)])
    assertAccepted([Y.mergeUpdates(updates.slice(2)), ...updates])
  }
})

const step = fc.record({ doc: fc.nat(1), what: fc.nat(9), a: fc.nat(1000), b: fc.nat(1000) })

await t.test('No update of yrs is rejected', async () => {
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.boolean(), (steps, gc) => {
    const docs = [7, 4_000_000_000].map((clientID) => new Yrs.YDoc({ clientID, gc }))
    const updates: Uint8Array[] = []
    for (const { doc: index, what, a, b } of steps) {
      const doc = docs[index]!
      const before = Yrs.encodeStateVector(doc)
      take(doc, docs[1 - index]!, what, a, b)
      updates.push(Yrs.encodeStateAsUpdate(doc, before))
    }
    assertAccepted([...updates, ...docs.map((doc) => Yrs.encodeStateAsUpdate(doc))])
    docs.forEach((doc) => { doc.free() })
  }), { numRuns: 60 })
})

await t.test('No update of the converter is rejected', async () => {
  for (const markdown of markdownDocuments) {
    const update = markdownToUpdate(markdown, standardTable, new Dropped())
    assertAccepted([update])
    const doc = new Y.Doc()
    Y.applyUpdate(doc, update)
    assertAccepted([update, Y.encodeStateAsUpdate(doc)])
  }
})

function take (doc: Yrs.YDoc, other: Yrs.YDoc, what: number, a: number, b: number): void {
  const [text, map, array] = [doc.getText('text'), doc.getMap('map'), doc.getArray('array')]
  const [units, elements] = [text.length(undefined), array.length(undefined)]
  switch (what) {
    case 0: case 1: text.insert(a % (units + 1), ['a', 'word', 'two words'][b % 3]!, undefined, undefined); break
    case 2: if (units > 0) text.delete(a % units, Math.min(units - a % units, 1 + b % 4), undefined); break
    case 3: {
      const length = Math.min(units - a % units, 1 + b % 4)
      if (units > 0) text.format(a % units, length, { bold: b % 2 === 0 ? true : null }, undefined)
      break
    }
    case 4: map.set(`key${a % 2}`, [b, 'text', [1, { deep: true }], new Yrs.YMap({ inner: b }), new Yrs.YText('inner')][b % 5], undefined); break
    case 5: map.delete(`key${a % 2}`, undefined); break
    case 6: array.insert(a % (elements + 1), [b, 'x', null], undefined); break
    case 7: if (elements > 0) array.delete(a % elements, 1, undefined); break
    case 8: text.insertEmbed(a % (units + 1), { image: b }, undefined, undefined); break
    default: Yrs.applyUpdate(doc, Yrs.encodeStateAsUpdate(other, Yrs.encodeStateVector(doc)), 'other')
  }
}
