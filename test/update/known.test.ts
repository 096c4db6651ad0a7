import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { ByteReader } from '../../src/update/byte-reader.ts'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { ClientClocks } from '../../src/update/client-clocks.ts'
import { DeleteSet } from '../../src/update/delete-set.ts'
import { Known } from '../../src/update/known.ts'
import { type ClientRun, type ScannedUpdate, scanUpdate } from '../../src/update/scan-update.ts'
import { countStateVector, decodeStateVector, readStateVector, writeStateVector } from '../../src/update/state-vector.ts'
import { applied, deleteSetOf, stateVectorOf } from './documents.ts'
import { mix } from './histories.ts'
import { tries } from './tries.ts'

function knownOf (updates: readonly Uint8Array[]): Known {
  const known = new Known()
  for (const update of updates) known.add(scanUpdate(update))
  return known
}

await t.test('The state vector is what Yjs reads from all updates merged', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    const known = knownOf(updates)
    const merged = Y.mergeUpdates([...updates, Uint8Array.of(0, 0)])
    assert.deepEqual(sorted(known.stateVector), sorted(Y.decodeStateVector(Y.encodeStateVectorFromUpdate(merged))))
    assert.deepEqual(sorted(decodeStateVector(known.encodeStateVector())), sorted(known.stateVector))
  }), { numRuns: tries(150) })
})

await t.test('If nothing is missing, state vector and deletions are the document\'s own', async () => {
  fc.assert(fc.property(mix, ({ history, updates }) => {
    const whole = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    const known = knownOf([...updates, ...whole])
    const doc = applied([...updates, ...whole], false)
    assert.equal(known.hasGaps, false)
    assert.deepEqual(sorted(known.stateVector), stateVectorOf(doc))
    assert.ok(deleteSetOf(doc).contains(known.deleteSet))
    // What integration deletes by itself (the loser of a map key) reaches a room with the document's next state.
    known.add(scanUpdate(Y.encodeStateAsUpdate(doc)))
    assert.ok(known.deleteSet.equals(deleteSetOf(doc)))
    assert.deepEqual(sorted(known.stateVector), stateVectorOf(doc))
  }), { numRuns: tries(150) })
})

await t.test('Exactly the updates that add nothing are contained', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    const known = new Known()
    for (const update of updates) {
      const scan = scanUpdate(update)
      const before = Known.unpack(known.pack())
      const contained = known.contains(scan)
      known.add(scan)
      assert.equal(contained, sameKnowledge(before, known))
      assert.equal(known.contains(scan), true)
      assert.equal(known.contains(scan), true, 'by its bytes alone too')
    }
    for (const update of updates) assert.equal(known.contains(scanUpdate(update)), true)
  }), { numRuns: tries(150) })
})

await t.test('An update is missing structs if Yjs would keep it pending', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    const known = new Known()
    const doc = applied([])
    for (const update of updates) {
      const scan = scanUpdate(update)
      known.add(scan)
      Y.applyUpdate(doc, update)
      if (doc.store.pendingStructs === null) assert.equal(known.missing(scan), false)
      else assert.equal(updates.some((u) => known.missing(scanUpdate(u))), true)
    }
  }), { numRuns: tries(150) })
})

await t.test('What is known survives encoding, and a copy changes independently', async () => {
  fc.assert(fc.property(mix, ({ updates }) => {
    const known = knownOf(updates)
    const copy = Known.decode(known.encode())
    assert.ok(sameKnowledge(copy, known))
    assert.deepEqual(copy.encodeDeleteSetUpdate(), known.encodeDeleteSetUpdate())
    const pieces = [...known.encodingDeleteSetUpdates(20)].map((update) => scanUpdate(update).deleteSet)
    assert.deepEqual(DeleteSet.union(pieces).encode(), known.deleteSet.encode())
    const clone = Known.unpack(known.pack())
    clone.add(scanUpdate(Uint8Array.of(1, 1, 99, 0, 0, 5, 1, 98, 1, 0, 7)))
    assert.equal(clone.stateVector.get(99), 5)
    assert.ok(sameKnowledge(copy, known))
  }), { numRuns: tries(100) })
})

await t.test('Only a reader that has everything is covered', async (t) => {
  const known = new Known()
  const covers = (...entries: Array<[client: number, clock: number]>): boolean => {
    return known.covers(Y.encodeStateVector(new Map(entries)))
  }
  t.equal(covers(), true)
  known.add(scanUpdate(Uint8Array.of(1, 1, 5, 0, 0, 10, 0)))
  t.equal(covers(), false)
  t.equal(covers([5, 9]), false)
  t.equal(covers([5, 10]), true)
  t.equal(covers([5, 12], [6, 1]), true)
  known.add(scanUpdate(Uint8Array.of(1, 1, 5, 20, 0, 5, 0)))
  t.equal(covers([5, 10]), false, 'structs beyond a gap count')
  t.equal(covers([5, 25]), true)
})

await t.test('The encoded forms are kept until something is added', async (t) => {
  const known = knownOf([Uint8Array.of(1, 1, 5, 0, 0, 10, 0)])
  const vector = known.encodeStateVector()
  const deletes = known.encodeDeleteSetUpdate()
  known.add(scanUpdate(Uint8Array.of(1, 1, 5, 0, 0, 10, 0)))
  t.equal(known.encodeStateVector(), vector)
  t.equal(known.encodeDeleteSetUpdate(), deletes)
  known.add(scanUpdate(Uint8Array.of(1, 1, 5, 10, 0, 1, 0)))
  t.not(known.encodeStateVector(), vector)
  t.same(known.encodeDeleteSetUpdate(), Uint8Array.of(0, 1, 5, 1, 0, 11))
})

await t.test('A truncated or foreign encoding is rejected', async (t) => {
  const bytes = knownOf([Uint8Array.of(1, 1, 5, 3, 0, 10, 1, 4, 1, 2, 3)]).encode()
  for (let length = 0; length < bytes.length; length++) {
    t.throws(() => Known.decode(bytes.subarray(0, length)), { name: 'MalformedUpdate' })
  }
  t.throws(() => Known.decode(Uint8Array.from([...bytes, 0])), { name: 'MalformedUpdate' })
  t.throws(() => Known.decode(Uint8Array.from([9, ...bytes.subarray(1)])), { name: 'MalformedUpdate' })
})

await t.test('A state vector is read and written as in Yjs', async (t) => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()), { maxLength: 20 }), (entries) => {
    const stateVector = new Map(entries.filter(([, clock]) => clock > 0))
    const writer = new ByteWriter()
    const clocks = new ClientClocks()
    for (const [client, clock] of stateVector) clocks.set(client, clock)
    writeStateVector(writer, clocks)
    const bytes = writer.finish()
    assert.deepEqual(bytes, Y.encodeStateVector(stateVector))
    assert.deepEqual(sorted(decodeStateVector(bytes)), sorted(stateVector))
    assert.deepEqual(sorted(readStateVector(new ByteReader(bytes))), sorted(stateVector))
    assert.equal(countStateVector(bytes), stateVector.size)
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decodeStateVector(bytes.subarray(0, length)), { name: 'MalformedUpdate' })
    }
  }))
  t.throws(() => decodeStateVector(Uint8Array.of(0, 0)), { name: 'MalformedUpdate' })
})

await t.test('A delete set holds the same as a set of single clocks', async (t) => {
  const range = fc.tuple(fc.nat(2), fc.nat(60), fc.nat(9))
  const set = fc.array(range, { maxLength: 40 })
  fc.assert(fc.property(fc.array(set, { maxLength: 5 }), fc.nat(), (lists, n) => {
    const sets = lists.map(deleteSetFrom)
    const naive = lists.map(clocks)
    sets.forEach((set, i) => assert.deepEqual(clocksOf(set), naive[i]))
    for (const set of sets) assert.ok(set.clients().every((client) => doAscend(set.rangesOf(client))), 'no two ranges touch')
    const union = DeleteSet.union(sets)
    assert.deepEqual(clocksOf(union), clocks(lists.flat()))
    assert.deepEqual(clocksOf(DeleteSet.decode(union.encode())), clocksOf(union))
    assert.ok(sets.every((set) => union.contains(set)))
    const [a, b] = [sets[n % sets.length], sets[(n + 1) % sets.length]]
    if (a === undefined || b === undefined) return
    assert.equal(a.contains(b), clocksOf(b).every((clock) => clocksOf(a).includes(clock)))
    const together = DeleteSet.unpack(a.pack())
    assert.equal(together.addAll(b), !a.contains(b))
    assert.ok(together.equals(DeleteSet.union([a, b])))
    assert.deepEqual(together.encode(), DeleteSet.union([b, a]).encode())
  }), { numRuns: tries(400) })
  t.throws(() => DeleteSet.empty.add(1, 1, 1), TypeError)
})

function deleteSetFrom (ranges: readonly (readonly [client: number, clock: number, length: number])[]): DeleteSet {
  const set = new DeleteSet()
  for (const [client, clock, length] of ranges) set.add(client, clock, length)
  return set
}

function doAscend (numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || numbers[i - 1]! < number)
}

function clocks (ranges: readonly (readonly [number, number, number])[]): string[] {
  const all = ranges.flatMap(([client, clock, length]) => Array.from({ length }, (_, i) => `${client}:${clock + i}`))
  return [...new Set(all)].sort()
}

function clocksOf (set: DeleteSet): string[] {
  return clocks(set.clients().flatMap((client) => {
    const ranges = set.rangesOf(client)
    const starts = ranges.filter((_, i) => i % 2 === 0)
    return starts.map((start, i): [number, number, number] => [client, start, ranges[i * 2 + 1]! - start])
  }))
}

function sorted (stateVector: Iterable<[client: number, clock: number]>): [client: number, clock: number][] {
  return [...stateVector].sort(([a], [b]) => b - a)
}

function sameKnowledge (a: Known, b: Known): boolean {
  return Buffer.compare(a.encode(), b.encode()) === 0
}

/** Client, start, end, … */
function triplesOf (spans: ReadonlyArray<readonly [client: number, clock: number, length: number]>): number[] {
  return spans.flatMap(([client, clock, length]) => length === 0 ? [] : [client, clock, clock + length])
}

/** Client, clock and length of structs in any order, of so few clients that they touch and overlap. */
const aSpan = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(400), fc.integer({ min: 0, max: 6 }))
const spans = fc.array(aSpan, { minLength: 17, maxLength: 120 })

/** An update that holds nothing. */
const emptyScan: ScannedUpdate = {
  bytes: Uint8Array.of(0, 0),
  runs: [],
  deleteSet: DeleteSet.empty,
  deletesNothing: true,
  deletesFrom: 1,
  deletesByStructs: false,
  needsInspection: false,
  needs: [],
  types: 0,
  parts: 0,
}

/** A run of one struct. */
const runOf = (client: number, clock: number, length: number): ClientRun =>
  ({ client, clock, end: clock + length, structs: 1, from: 0, to: 0 })

await t.test('Many runs add the same at once as one by one', async () => {
  fc.assert(fc.property(spans, spans, (first, second) => {
    const [together, apart] = [new Known(), new Known()]
    for (const each of [first, second]) {
      const runs = each.map(([client, clock, length]) => runOf(client, clock, length))
      together.add({ ...emptyScan, runs })
      for (const run of runs) apart.add({ ...emptyScan, runs: [run] })
    }
    assert.deepEqual(sorted(together.stateVector), sorted(apart.stateVector))
    assert.deepEqual(decodeStateVector(together.encodeStateVector()), decodeStateVector(apart.encodeStateVector()))
    assert.equal(together.hasGaps, apart.hasGaps)
    for (let client = 1; client <= 3; client++) {
      for (let clock = 0; clock < 410; clock++) {
        const one = { ...emptyScan, runs: [runOf(client, clock, 1)] }
        assert.equal(together.contains(one), apart.contains(one), `${client} ${clock}`)
      }
    }
  }), { numRuns: tries(50) })
})

await t.test('Many deletions add the same at once as one by one', async () => {
  fc.assert(fc.property(spans, spans, (first, second) => {
    const apart = new DeleteSet()
    for (const [client, clock, length] of [...first, ...second]) apart.add(client, clock, length)
    const together = DeleteSet.from(triplesOf(first))
    together.addAll(DeleteSet.from(triplesOf(second)))
    assert.ok(together.equals(apart))
  }), { numRuns: tries(250) })
})
