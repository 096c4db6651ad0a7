import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ClientRanges } from '../../src/update/ranges.ts'

/** Enough for several chunks, in a few clients, so that ranges touch, overlap and cross the borders of chunks. */
const range = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(7000), fc.integer({ min: 1, max: 4 }))
const many = fc.array(range, { minLength: 1400, maxLength: 1800 })
const anyLength = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5000 }))
const some = fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.nat(7100), anyLength), { maxLength: 40 })

type Range = readonly [client: number, clock: number, length: number]

/** The same as a set of single clocks: slow, but obviously correct. */
class Clocks {
  readonly #clocks = new Set<string>()

  add (ranges: readonly Range[]): this {
    for (const [client, clock, length] of ranges) {
      for (let i = 0; i < length; i++) this.#clocks.add(`${client}:${clock + i}`)
    }
    return this
  }

  has (client: number, start: number, end: number): boolean {
    for (let clock = start; clock < end; clock++) if (!this.#clocks.has(`${client}:${clock}`)) return false
    return true
  }

  remove (client: number, start: number, end: number): void {
    for (let clock = start; clock < end; clock++) this.#clocks.delete(`${client}:${clock}`)
  }

  /** Client, start, end, … as `ClientRanges.pack` has them. */
  triples (): number[] {
    const clocks = [...this.#clocks].map((text) => text.split(':').map(Number) as [number, number])
    const triples: number[] = []
    for (const [client, clock] of clocks.sort(([a, x], [b, y]) => b - a || x - y)) {
      const last = triples.length - 1
      if (triples[last - 2] === client && triples[last] === clock) triples[last]!++
      else triples.push(client, clock, clock + 1)
    }
    return triples
  }
}

const triplesOf = (ranges: readonly Range[]): number[] =>
  ranges.flatMap(([client, clock, length]) => [client, clock, clock + length])

function assertSame (ranges: ClientRanges, clocks: Clocks): void {
  const triples = clocks.triples()
  assert.deepEqual([...ranges.pack()], triples)
  assert.equal(ranges.size, triples.length / 3)
}

await t.test('Ranges added in any order, one by one or at once, hold the single clocks', async () => {
  fc.assert(fc.property(many, some, many, (first, second, third) => {
    const clocks = new Clocks().add(first)
    const ranges = ClientRanges.from(triplesOf(first))
    assertSame(ranges, clocks)
    for (const [client, clock, length] of second) ranges.addRange(client, clock, clock + length)
    assertSame(ranges, clocks.add(second))
    const others = ClientRanges.from(triplesOf(third))
    const missing = ranges.countMissing(others)
    const before = ranges.size
    assert.equal(ranges.addAll(others), missing > 0)
    assert.ok(ranges.size <= before + missing)
    assertSame(ranges, clocks.add(third))
    assert.equal(ranges.addAll(others), false)
    for (let client = 0; client <= 4; client++) {
      const own = clocks.triples().flatMap((number, i, all) => {
        return i % 3 === 0 && number === client ? [all[i + 1]!, all[i + 2]!] : []
      })
      assert.deepEqual(ranges.rangesOf(client), own)
      assert.equal(ranges.endOf(client), own.at(-1) ?? 0)
    }
  }), { numRuns: 10, endOnFailure: true })
})

await t.test('A set from another thread changes like any other, and leaves the original unchanged', async () => {
  fc.assert(fc.property(many, some, (first, second) => {
    const packed = ClientRanges.from(triplesOf(first)).pack()
    const before = packed.slice()
    const ranges = ClientRanges.unpack(packed)
    for (const [client, clock, length] of second) ranges.addRange(client, clock, clock + length)
    const shifted = second.map(([client, clock, length]): Range => [client, clock + 7, length])
    ranges.addAll(ClientRanges.from(triplesOf(shifted)))
    assertSame(ranges, new Clocks().add(first).add(second).add(shifted))
    assert.deepEqual(packed, before)
  }), { numRuns: 10, endOnFailure: true })
})

await t.test('A set contains another if it holds all its clocks', async () => {
  fc.assert(fc.property(many, fc.array(range, { maxLength: 200 }), fc.nat(30), (first, second, upTo) => {
    const clocks = new Clocks().add(first)
    const ranges = ClientRanges.from(triplesOf(first))
    for (const [client, clock, length] of second) {
      const end = clock + length
      assert.equal(ranges.containsRange(client, clock, end), clocks.has(client, clock, end))
    }
    const held = first.filter((_, i) => i % 7 === 0)
    assert.ok(ranges.contains(ClientRanges.from(triplesOf(held))))
    const mixed = ClientRanges.from(triplesOf([...held, ...second.slice(0, upTo)]))
    const areHeld = second.slice(0, upTo).every(([client, clock, length]) => clocks.has(client, clock, clock + length))
    assert.equal(ranges.contains(mixed), areHeld)
    assert.equal(ranges.equals(mixed), ranges.contains(mixed) && mixed.contains(ranges))
  }), { numRuns: 15, endOnFailure: true })
})

await t.test('All ranges that a clock reaches are taken, across chunks', async () => {
  fc.assert(fc.property(many, fc.integer({ min: 0, max: 4 }), fc.nat(7100), (first, client, clock) => {
    const clocks = new Clocks().add(first)
    const ranges = ClientRanges.from(triplesOf(first))
    let end = clock
    for (const [start, to] of pairs(ranges.rangesOf(client))) {
      if (start > end) break
      end = Math.max(end, to)
      clocks.remove(client, start, to)
    }
    assert.equal(ranges.takeReached(client, clock), end)
    assertSame(ranges, clocks)
  }), { numRuns: 15, endOnFailure: true })
})

await t.test('A set can be added to between two steps, and holds everything at the end', async () => {
  fc.assert(fc.property(many, many, some, (first, second, third) => {
    const ranges = ClientRanges.from(triplesOf(first))
    const between = [...third]
    for (const step of ranges.addingAll(ClientRanges.from(triplesOf(second)))) {
      assert.equal(step, undefined)
      const next = between.pop()
      if (next !== undefined) ranges.addRange(next[0], next[1], next[1] + next[2])
    }
    assertSame(ranges, new Clocks().add(first).add(second).add(third.slice(between.length)))
  }), { numRuns: 10, endOnFailure: true })
})

function pairs (ranges: readonly number[]): Array<[start: number, end: number]> {
  return ranges.flatMap((start, i): Array<[number, number]> => i % 2 === 0 ? [[start, ranges[i + 1]!]] : [])
}
