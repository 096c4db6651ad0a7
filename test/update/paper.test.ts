import assert from 'node:assert/strict'
import t from 'tap'
import * as Y from 'yjs'
import { difference } from '../../src/update/difference.ts'
import { Known } from '../../src/update/known.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { applied, deleteSetOf, stateVectorOf } from './documents.ts'
import { tries } from './tries.ts'
import { paperPatches } from './traces.ts'

/** Small enough that the snapshot has several pieces. */
const maxBytes = 8 * 1024
/** Keystrokes of the paper; `Y_PROVIDER_RUNS=5` takes all of them. */
const keystrokes = tries(60_000)

const log: Uint8Array[] = []
const author = new Y.Doc()
author.on('update', (update: Uint8Array) => log.push(update))
for (const [position, deleted, inserted] of paperPatches().slice(0, keystrokes)) {
  if (deleted > 0) author.getText('text').delete(position, deleted)
  if (inserted !== '') author.getText('text').insert(position, inserted)
}
const text = author.getText('text').toString()
const scans = log.map(scanUpdate)

await t.test('After each keystroke, what is known is what the author has', async (t) => {
  const known = new Known()
  for (const scan of scans) {
    assert.equal(known.contains(scan), false)
    known.add(scan)
    assert.equal(known.missing(scan), false)
  }
  t.same([...known.stateVector], stateVectorOf(author))
  t.ok(known.deleteSet.equals(deleteSetOf(author)))
  t.same(known.encodeDeleteSetUpdate(), Y.encodeStateAsUpdate(author, Y.encodeStateVector(author)))
  t.ok(known.contains(scanUpdate(Y.encodeStateAsUpdate(author))))
})

await t.test('All keystrokes merged are the paper, in any order', async (t) => {
  const shuffled = scans
    .map((scan, i) => ({ scan, key: (i * 48271) % 2147483647 }))
    .sort((a, b) => a.key - b.key)
    .map(({ scan }) => scan)
  const merged = mergeUpdates(shuffled)
  t.equal(scanUpdate(merged).runs.length, 1)
  t.equal(Buffer.compare(merged, mergeUpdates(scans)), 0)
  t.equal(applied([merged]).getText('text').toString(), text)
})

await t.test('The snapshot of the paper comes in pieces that a reader can apply at once', async (t) => {
  const { pieces, known, bytes } = snapshotPieces(log, maxBytes)
  const reader = applied([])
  for (const piece of pieces) {
    assert.ok(piece.length <= maxBytes)
    Y.applyUpdate(reader, piece)
    assert.equal(reader.store.pendingStructs, null)
  }
  t.ok(pieces.length > 2)
  t.equal(reader.getText('text').toString(), text)
  t.ok(known.deleteSet.equals(deleteSetOf(author)))
  t.ok(bytes < 1.02 * Y.encodeStateAsUpdate(author).length, 'pieces are hardly larger than the whole')
})

await t.test('A reader that left early gets the rest of the paper', async (t) => {
  const reader = applied(log.slice(0, 5000))
  for (const piece of difference([mergeUpdates(scans)], Y.encodeStateVector(reader), maxBytes)) {
    assert.ok(piece.length <= maxBytes)
    Y.applyUpdate(reader, piece)
  }
  t.equal(reader.getText('text').toString(), text)
  t.same(stateVectorOf(reader), stateVectorOf(author))
})
