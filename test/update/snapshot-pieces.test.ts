import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { difference } from '../../src/update/difference.ts'
import { hasFormatting } from '../../src/update/formatting-replay.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { baseDocuments } from './base-documents.ts'
import { applied, assertSame, deleteSetOf, stateVectorOf } from './documents.ts'
import { mix } from './histories.ts'
import { tries } from './tries.ts'

/** The state vector of a reader that has nothing. */
const nothing = Uint8Array.of(0)
/** An update that holds nothing. */
const nothingAtAll = Uint8Array.of(0, 0)

/** Bytes that no embed or subdocument of the histories exceeds, with two ids and a long key. */
const largestValue = 200

await t.test('The pieces of a snapshot are small, in causal order, and together the document', async () => {
  fc.assert(fc.property(mix, fc.integer({ min: 64, max: 600 }), ({ history, updates }, maxBytes) => {
    const whole = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    const expected = applied([...updates, ...whole])
    const { pieces, known, bytes } = snapshotPieces([...updates, ...whole], maxBytes)
    assertPieces(applied([]), pieces, pieces.length === 1 ? Number.POSITIVE_INFINITY : maxBytes)
    const all = applied(pieces)
    assertSame(all, expected)
    assert.equal(bytes, pieces.reduce((sum, piece) => sum + piece.length, 0))
    assert.deepEqual([...known.stateVector].sort(([a], [b]) => b - a), stateVectorOf(all))
    assert.ok(known.deleteSet.equals(deleteSetOf(all)))
    for (const piece of pieces) assert.ok(known.contains(scanUpdate(piece)))
  }), { numRuns: tries(100) })
})

await t.test('A snapshot of a document with gaps keeps the structs that wait', async () => {
  fc.assert(fc.property(mix, fc.integer({ min: 64, max: 600 }), ({ history, updates }, maxBytes) => {
    const { pieces, known } = snapshotPieces(updates, maxBytes)
    const merged = (updates: Uint8Array[]) => Y.mergeUpdates([nothingAtAll, ...updates])
    const stateVector = (updates: Uint8Array[]) => Y.encodeStateVectorFromUpdate(merged(updates))
    assert.deepEqual(stateVector(pieces), stateVector(updates))
    for (const update of updates) assert.ok(known.contains(scanUpdate(update)))
    const one = applied(pieces)
    const other = applied(updates)
    assertSame(one, other)
    for (const doc of history.docs) {
      Y.applyUpdate(one, Y.encodeStateAsUpdate(doc))
      Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    }
    assertSame(one, other)
  }), { numRuns: tries(100) })
})

await t.test('A difference brings a reader from any earlier state to the present one, piece by piece', async () => {
  fc.assert(fc.property(mix, fc.nat(), fc.integer({ min: 64, max: 600 }), ({ history, updates }, n, maxBytes) => {
    const whole = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    const count = history.updates.length
    const earlier = applied(history.updates.slice(0, n % (count + 1)), false)
    const log = [...updates, ...whole]
    const held = new Map(stateVectorOf(earlier))
    const pieces = difference(log, Y.encodeStateVector(earlier), maxBytes)
    assertPieces(earlier, pieces, pieces.length === 1 ? Number.POSITIVE_INFINITY : maxBytes)
    for (const run of pieces.flatMap((piece) => [...scanUpdate(piece).runs])) {
      assert.ok(run.clock >= (held.get(run.client) ?? 0), 'nothing that the reader has')
    }
    if (pieces.length > 1) assert.ok(!pieces.some((piece) => hasFormatting(scanUpdate(piece))))
    assertSame(earlier, applied(log, false))
  }), { numRuns: tries(100) })
})

await t.test('A difference without a limit is one update, whatever the reader has', async () => {
  fc.assert(fc.property(mix, fc.nat(), ({ history, updates }, n) => {
    const whole = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    const earlier = applied(history.updates.slice(0, n % (history.updates.length + 1)), false)
    const log = [...updates, ...whole]
    for (const reader of [new Y.Doc(), earlier]) {
      const lacking = difference(log, Y.encodeStateVector(reader), Infinity)
      assert.equal(lacking.length, 1)
      const [update] = lacking
      assert.ok(update !== undefined)
      Y.applyUpdate(reader, update)
      assertSame(reader, applied(log))
    }
  }), { numRuns: tries(100) })
})

await t.test('A difference for a reader that lacks nothing holds no structs', async (t) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'some text')
  doc.getText('text').delete(0, 2)
  const pieces = difference([Y.encodeStateAsUpdate(doc)], Y.encodeStateVector(doc), 1000)
  t.equal(pieces.length, 1)
  t.equal(scanUpdate(pieces[0]!).runs.length, 0)
  t.equal(scanUpdate(pieces[0]!).deleteSet.size, 1)
  t.same(difference([], nothing, 1000), [nothingAtAll])
  t.same(snapshotPieces([], 1000).pieces, [nothingAtAll])
  t.throws(() => difference([], Uint8Array.of(1), 1000), { name: 'MalformedUpdate' })
  t.throws(() => snapshotPieces([Uint8Array.of(1)], 1000), { name: 'MalformedUpdate' })
})

await t.test('A pasted text of 10 MB is split between characters, a large list between elements', async (t) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x' + '日本😀'.repeat(1_000_000))
  doc.getArray('array').push(Array.from({ length: 2000 }, (_, i) => 'element'.repeat(i % 40)))
  doc.getArray('array').push(['indivisible'.repeat(30_000)])
  const maxBytes = 256 * 1024
  const { pieces, bytes } = snapshotPieces([Y.encodeStateAsUpdate(doc)], maxBytes)
  t.equal(pieces.filter((piece) => piece.length > maxBytes).length, 1, 'only the value that cannot be split')
  t.ok(pieces.length < 1.3 * bytes / maxBytes + 2, 'pieces are filled')
  assertSame(applied(pieces), applied([Y.encodeStateAsUpdate(doc)]))
})

await t.test('A delete set larger than a piece is split', async (t) => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'abc'.repeat(5000))
  doc.transact(() => {
    for (let i = 0; i < 5000; i++) doc.getText('text').delete(i * 2, 1)
  })
  const { pieces } = snapshotPieces([Y.encodeStateAsUpdate(doc)], 1000)
  t.ok(pieces.every((piece) => piece.length <= 1000))
  assertSame(applied(pieces), applied([Y.encodeStateAsUpdate(doc)]))
  assertPieces(applied([]), pieces, 1000)
})

/** Applies the pieces one by one to a reader. None leaves anything pending, and none is larger than it must be. */
function assertPieces (reader: Y.Doc, pieces: readonly Uint8Array[], maxBytes: number): void {
  for (const piece of pieces) {
    assert.ok(piece.length <= Math.max(maxBytes, largestValue), `${piece.length} bytes`)
    Y.applyUpdate(reader, piece)
    assert.equal(reader.store.pendingStructs, null)
    assert.equal(reader.store.pendingDs, null)
  }
}

await t.test('Bold text that was typed much later than its mark stays bold for a reader of pieces', async (t) => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  text.insert(0, 'word', { bold: true })
  for (let i = 0; i < 300; i++) text.insert(text.length - (i % 2), 'filler', { bold: null })
  text.insert(2, 'NEW')
  text.delete(5, 2)
  text.delete(0, 2)
  t.same(text.toDelta()[0], { insert: 'NEW', attributes: { bold: true } })
  const client = new Y.Doc()
  client.getText('text')
  for (const piece of snapshotPieces([Y.encodeStateAsUpdate(doc)], 1000).pieces) Y.applyUpdate(client, piece)
  t.same(client.getText('text').toDelta(), text.toDelta())
  const reader = new Y.Doc()
  reader.getText('text')
  for (const piece of difference([Y.encodeStateAsUpdate(doc)], nothing, 1000)) Y.applyUpdate(reader, piece)
  t.same(reader.getText('text').toDelta(), text.toDelta())
})

await t.test('Deleted values of one key that were joined come with their deletion', async (t) => {
  // A document that collects nothing joins them. A reader that gets the deletion of their parent first throws at a
  // value that is split. Seeds 7701167 and 7801542.
  for (const hex of [
    '0204040087030003017045ffffffffffffff0f00077b2265223a317d450518077b2265223a317d070004000600010900 0000 01030203870201030170c3ffffffffffffff0f0005000109c1020105000200 0101020700010102010701 0102010982010001077b2261223a317dc301070106010900',
    '01040500000227000100016b02850500077b2265223a317dc501000301077b2265223a317d00',
  ]) {
    const log = [baseDocuments['uncollected']!, ...hex.split(' ').map((update) => Buffer.from(update, 'hex'))]
    const reader = new Y.Doc()
    t.doesNotThrow(() => { for (const piece of difference(log, nothing, 64)) Y.applyUpdate(reader, piece) })
    assertSame(reader, applied(log))
    t.doesNotThrow(() => applied(snapshotPieces(log, 64).pieces))
  }
})

await t.test('No reader of pieces deletes anything by itself', async () => {
  fc.assert(fc.property(mix, fc.integer({ min: 64, max: 300 }), ({ history, updates }, maxBytes) => {
    const log = [...updates, ...history.docs.map((doc) => Y.encodeStateAsUpdate(doc))]
    const { pieces, known } = snapshotPieces(log, maxBytes)
    // Unlike `applied`, this reader removes empty formatting, as every client does.
    const client = new Y.Doc()
    client.getText('text')
    for (const piece of pieces) Y.applyUpdate(client, piece)
    assert.ok(known.deleteSet.equals(deleteSetOf(client)))
    const whole = new Y.Doc()
    whole.getText('text')
    Y.applyUpdate(whole, Y.mergeUpdates(pieces.length > 0 ? pieces : [nothingAtAll]))
    assert.deepEqual(client.getText('text').toDelta(), whole.getText('text').toDelta())
  }), { numRuns: tries(100) })
})
