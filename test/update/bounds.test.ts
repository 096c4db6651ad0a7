import t from 'tap'
import { clientBounds, maxStateVectorEntries } from '../../src/update/bounds.ts'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { Known } from '../../src/update/known.ts'
import { scanClientUpdate, scanUpdate } from '../../src/update/scan-update.ts'

/** One struct of each of so many clients. */
function updateOfClients (clients: number): Uint8Array {
  return written((writer) => {
    writer.varUint(clients)
    for (let client = clients; client > 0; client--) {
      for (const number of [1, client, 0]) writer.varUint(number)
      deleted(writer)
    }
    writer.varUint(0)
  })
}

/** One client's structs with so many gaps between them. */
function updateOfGaps (gaps: number): Uint8Array {
  return written((writer) => {
    for (const number of [1, 2 * gaps + 1, 7, 0]) writer.varUint(number)
    deleted(writer)
    for (let gap = 0; gap < gaps; gap++) {
      writer.byte(10)
      writer.varUint(1)
      deleted(writer)
    }
    writer.varUint(0)
  })
}

/** Structs that refer to one other client each. */
function updateOfNeeds (needs: number): Uint8Array {
  return written((writer) => {
    for (const number of [1, needs, 7, 0]) writer.varUint(number)
    for (let need = 0; need < needs; need++) {
      writer.byte(0x84)
      for (const number of [1000 + need, 0, 1, 97]) writer.varUint(number)
    }
    writer.varUint(0)
  })
}

/** A delete set of single clocks, `clients` of them with as many ranges each. */
function updateOfRanges (clients: number, each: number): Uint8Array {
  return written((writer) => {
    writer.varUint(0)
    writer.varUint(clients)
    for (let client = clients; client > 0; client--) {
      writer.varUint(client)
      writer.varUint(each)
      for (let range = 0; range < each; range++) {
        writer.varUint(2 * range)
        writer.varUint(1)
      }
    }
  })
}

/** Structs without content, each between two with content. */
function updateOfEmptied (gone: number): Uint8Array {
  return written((writer) => {
    for (const number of [1, 2 * gone, 7, 0]) writer.varUint(number)
    for (let i = 0; i < gone; i++) {
      deleted(writer)
      for (const byte of [4, 1, 1, 97, 1, 98]) writer.byte(byte)
    }
    writer.varUint(0)
  })
}

/** A struct that was collected, of one clock. */
function deleted (writer: ByteWriter): void {
  writer.byte(0)
  writer.varUint(1)
}

function written (write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.finish()
}

const { clients, gaps, needs, deleteRanges } = clientBounds

await t.test('An update at a bound is accepted, one above it is rejected, and both are read from the store', async (t) => {
  const cases: Array<[what: string, bound: number, make: (count: number) => Uint8Array, reason: RegExp]> = [
    ['clients', clients, updateOfClients, /too many clients/],
    ['gaps', gaps, updateOfGaps, /too many gaps/],
    ['needs', needs, updateOfNeeds, /refers to too many clients/],
    ['ranges of one client', deleteRanges, (count) => updateOfRanges(1, count), /too many ranges/],
    ['clients that have deletions', deleteRanges, (count) => updateOfRanges(count, 1), /deletes of too many clients/],
    ['structs without content', deleteRanges, updateOfEmptied, /too many ranges/],
  ]
  for (const [what, bound, make, reason] of cases) {
    const above = make(bound + 1)
    t.doesNotThrow(() => scanClientUpdate(make(bound)), what)
    t.throws(() => scanClientUpdate(above), { name: 'MalformedUpdate', message: reason }, what)
    t.doesNotThrow(() => scanUpdate(above), what)
  }
  t.throws(() => scanClientUpdate(updateOfRanges(3, Math.ceil((deleteRanges + 1) / 3))), { message: /too many ranges/ }, 'of several clients together')
  const inSections = updateOfClients(clients)
  t.equal(scanClientUpdate(inSections).runs.length, clients, 'a run for each client is no gap')
})

await t.test('An announced count above a bound is rejected before its items are read', async (t) => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0x0f]
  t.throws(() => scanClientUpdate(Uint8Array.from(huge)), { message: /too many clients/ })
  t.throws(() => scanClientUpdate(Uint8Array.from([0, ...huge])), { message: /deletes of too many clients/ })
  t.throws(() => scanClientUpdate(Uint8Array.from([0, 1, 7, ...huge])), { message: /too many ranges/ })
  t.throws(() => new Known().lackedBy(Uint8Array.from(huge), 1), { name: 'MalformedUpdate', message: /too many entries/ })
})

await t.test('A text that was deleted letter by letter is one range, and no attack', async (t) => {
  const update = written((writer) => {
    for (const number of [1, deleteRanges + 1, 7, 0]) writer.varUint(number)
    for (let i = 0; i <= deleteRanges; i++) deleted(writer)
    writer.varUint(0)
  })
  const scanned = scanClientUpdate(update)
  t.same(scanned.deleteSet.rangesOf(7), [0, deleteRanges + 1])
  t.equal(scanned.parts, 3, 'a client, a run, a range')
})

await t.test('The parts are the clients, runs, ranges and needs together', async (t) => {
  t.equal(scanUpdate(Uint8Array.of(0, 0)).parts, 0)
  t.equal(scanUpdate(updateOfClients(10)).parts, 10 + 10 + 10, 'with a run and a deletion each')
  t.equal(scanUpdate(updateOfGaps(10)).parts, 1 + 11 + 11)
  t.equal(scanUpdate(updateOfNeeds(10)).parts, 1 + 1 + 10)
  t.equal(scanUpdate(updateOfRanges(2, 10)).parts, 20)
})

await t.test('A state vector can have as many entries as its bound', async (t) => {
  const vector = (entries: number): Uint8Array => written((writer) => {
    writer.varUint(entries)
    for (let client = entries; client > 0; client--) {
      writer.varUint(client)
      writer.varUint(1)
    }
  })
  t.doesNotThrow(() => new Known().lackedBy(vector(maxStateVectorEntries), 1))
  t.throws(() => new Known().lackedBy(vector(maxStateVectorEntries + 1), 1), { name: 'MalformedUpdate' })
})

await t.test('An update exceeds a document\'s bound by what it adds, not by what it repeats', async (t) => {
  const known = new Known()
  known.add(scanUpdate(updateOfClients(10)))
  known.add(scanUpdate(updateOfRanges(1, 5)))
  known.add(scanUpdate(Uint8Array.of(1, 1, 50, 3, 0, 1, 0)))
  t.same([known.clients, known.gaps, known.deleteRanges], [11, 1, 10 + 4 + 1], 'the first clock of the ranges was deleted before')
  const within = { clients: 11, gaps: 1, deleteRanges: 15 }
  const exceeds = (update: Uint8Array, bounds = within): boolean => known.wouldExceed(scanUpdate(update), bounds)
  t.equal(exceeds(updateOfClients(10)), false, 'known already')
  const client = Uint8Array.of(1, 1, 60, 0, 4, 1, 1, 97, 1, 98, 0)
  t.equal(exceeds(client), true)
  t.equal(exceeds(client, { ...within, clients: 12 }), false)
  const gap = Uint8Array.of(1, 1, 50, 9, 4, 1, 1, 97, 1, 98, 0)
  t.equal(exceeds(gap), true)
  t.equal(exceeds(gap, { ...within, gaps: 2 }), false)
  const deletion = Uint8Array.of(0, 1, 1, 1, 40, 1)
  t.equal(exceeds(deletion), true)
  t.equal(exceeds(deletion, { ...within, deleteRanges: 16 }), false)
  t.equal(exceeds(Uint8Array.of(1, 1, 10, 1, 4, 1, 1, 97, 1, 98, 0), { clients: 1, gaps: 0, deleteRanges: 0 }), false, 'a count above its bound from before can stay')
})
