import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { ClientClocks } from '../../src/update/client-clocks.ts'
import { Known } from '../../src/update/known.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { buffersOf, packScan, unpackScan } from '../../src/update/packed-scan.ts'
import { type ScannedUpdate, scanUpdate } from '../../src/update/scan-update.ts'
import { mix } from './histories.ts'

/** The scan of an update as from another thread, with its buffers handed over. */
function carried (update: Uint8Array): ScannedUpdate {
  const packed = packScan(scanUpdate(update))
  return unpackScan(structuredClone(packed, { transfer: buffersOf(packed) }), update)
}

function assertSameScan (update: Uint8Array): void {
  const [scanned, unpacked] = [scanUpdate(update), carried(update)]
  const { bytes, deletesNothing, deletesFrom, deletesByStructs, needsInspection, types, parts } = scanned
  assert.deepEqual([...unpacked.runs], [...scanned.runs])
  assert.equal(unpacked.runs.length, scanned.runs.length)
  assert.deepEqual(new Map(unpacked.needs), new Map(scanned.needs))
  assert.deepEqual(unpacked.deleteSet.encode(), scanned.deleteSet.encode())
  const { runs, needs, deleteSet, ...rest } = unpacked
  assert.deepEqual(rest, { bytes, deletesNothing, deletesFrom, deletesByStructs, needsInspection, types, parts })
}

await t.test('A packed scan is the same after unpacking', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    for (const update of updates) assertSameScan(update)
  }), { numRuns: 100 })
})

/** Clients that edit one after the other, each after the last one's text, with some deletions. */
function updatesOfClients (clients: number): Uint8Array[] {
  const updates: Uint8Array[] = []
  let state = new Uint8Array()
  for (let client = 1; client <= clients; client++) {
    const doc = new Y.Doc()
    doc.clientID = (client * 48271) % 2147483647
    if (client > 1) Y.applyUpdate(doc, state)
    doc.on('update', (update: Uint8Array) => { updates.push(update) })
    doc.getText('text').insert(doc.getText('text').length, 'abc')
    if (client % 3 === 0) doc.getText('text').delete(client, 1)
    state = Y.encodeStateAsUpdate(doc) as Uint8Array<ArrayBuffer>
  }
  return updates
}

await t.test('An update of many clients is known in steps as at once, and by its parts', async (t) => {
  const updates = updatesOfClients(300)
  const whole = carried(mergeUpdates(updates.map(scanUpdate)))
  const [apart, atOnce, inSteps] = [new Known(), new Known(), new Known()]
  for (const update of updates) apart.add(scanUpdate(update))
  t.equal(atOnce.contains(whole), false)
  atOnce.add(whole)
  t.ok([...inSteps.adding(whole)].length > 1)
  t.same(atOnce.encode(), apart.encode())
  t.same(inSteps.encode(), apart.encode())
  t.equal(apart.contains(whole), true)
  t.equal(apart.missing(whole), false)
  t.same(Known.unpack(apart.pack()).encode(), apart.encode())
  t.same(apart.encodeStateVector(), Y.encodeStateVectorFromUpdate(whole.bytes))
})

await t.test('A state vector shows what a reader lacks, in any order of its entries', async () => {
  const entry = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 5 }))
  const clocks = fc.uniqueArray(entry, { selector: ([client]) => client, maxLength: 50 })
  fc.assert(fc.property(clocks, clocks, fc.nat(50), (ours, theirs, most) => {
    const known = new Known()
    for (const [client, clock] of ours) known.add(scanUpdate(Uint8Array.of(1, 1, client, 0, 0, clock, 0)))
    const vector = Uint8Array.of(theirs.length, ...theirs.flat())
    const held = new Map(theirs)
    const clockOf = (client: number) => held.get(client) ?? 0
    const lacked = ours.filter(([client, clock]) => clockOf(client) < clock)
    const lacking = lacked.map(([client]) => [client, clockOf(client)] as const)
    assert.deepEqual(known.lackedBy(vector, most), lacking.length > most ? undefined : new Map(lacking))
    assert.equal(known.covers(vector), lacking.length === 0)
  }), { numRuns: 500 })
})

await t.test('ClientClocks holds the same as a map', async () => {
  const operation = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 99 }), fc.nat(9)),
    fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 30 })
  )
  fc.assert(fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
    const clocks = new ClientClocks()
    const map = new Map<number, number>()
    for (const each of operations) {
      if (each.length === 2 && each[1] < 10) {
        clocks.set(each[0], each[1])
        map.set(each[0], each[1])
      } else {
        clocks.addMissing([...each].sort((a, b) => b - a))
        for (const client of each) if (!map.has(client)) map.set(client, 0)
      }
    }
    const clients = [...map.keys()].sort((a, b) => b - a)
    assert.equal(clocks.size, map.size)
    const entries = clients.filter((client) => map.get(client)! > 0).map((client) => [client, map.get(client)])
    assert.deepEqual([...ClientClocks.unpack(clocks.pack())], entries)
    for (let client = 0; client <= 100; client++) assert.equal(clocks.get(client), map.get(client) ?? 0)
  }), { numRuns: 500 })
})
