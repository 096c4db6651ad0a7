/**
 * The cost of input that has many parts and few bytes: an update, a state vector and the known state, with many clients
 * and many ranges of deletions. CPU milliseconds, the median of nine.
 * Run: node --expose-gc --import tsx bench/counts.ts
 */
import { ByteWriter } from '../src/update/byte-writer.ts'
import { DeleteSet } from '../src/update/delete-set.ts'
import { Known } from '../src/update/known.ts'
import { buffersOf, packScan, unpackScan } from '../src/update/packed-scan.ts'
import { scanClientUpdate, scanUpdate } from '../src/update/scan-update.ts'

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** @param prepare makes the input of the run, outside the measured time */
function time<Given> (name: string, prepare: () => Given, run: (given: Given) => unknown): void {
  const times = Array.from({ length: 9 }, () => {
    const given = prepare()
    const start = cpuMs()
    run(given)
    return cpuMs() - start
  }).sort((a, b) => a - b)
  console.log(`  ${name.padEnd(50)} ${times[4]!.toFixed(2).padStart(8)} ms   worst ${times[8]!.toFixed(2)}`)
}

/** The longest of the steps, each in the state left by the ones before it. */
function longest (steps: Iterator<void>): number {
  let worst = 0
  for (let done = false; !done;) {
    const start = cpuMs()
    done = steps.next().done === true
    worst = Math.max(worst, cpuMs() - start)
  }
  return worst
}

/** @param offset of the client ids, so that two updates interleave */
function ofClients (clients: number, offset = 0): Uint8Array {
  const writer = new ByteWriter(clients * 12)
  writer.varUint(clients)
  for (let i = clients - 1; i >= 0; i--) {
    for (const number of [1, 2 ** 28 + offset + i * 7919, 0, 0, 1 + i % 300]) writer.varUint(number)
  }
  writer.varUint(0)
  return writer.finish()
}

function ofRanges (ranges: number, offset = 0): Uint8Array {
  const writer = new ByteWriter(ranges * 8)
  for (const number of [0, 1, 7, ranges]) writer.varUint(number)
  for (let i = 0; i < ranges; i++) {
    writer.varUint(4 * i + offset)
    writer.varUint(1)
  }
  return writer.finish()
}

function knownOf (update: Uint8Array): Known {
  const known = new Known()
  known.add(scanUpdate(update))
  return known
}

/** Measures each kind of input: an update that arrives, the known state, and a question. */
function measure (update: Uint8Array, others: Uint8Array): void {
  const nothing = (): undefined => undefined
  const known = knownOf(update)
  const encoded = known.encode()
  const carried = (bytes: Uint8Array) => unpackScan(packScan(scanUpdate(bytes)), bytes)
  time('scan', nothing, () => scanClientUpdate(update))
  time('a worker\'s scan crosses', () => packScan(scanUpdate(update)), (packed) => unpackScan(structuredClone(packed, { transfer: buffersOf(packed) }), update))
  time('contains', () => carried(update), (scanned) => known.contains(scanned))
  time('missing', () => carried(update), (scanned) => known.missing(scanned))
  time('add to nothing', () => carried(update), (scanned) => { new Known().add(scanned) })
  time('add as much again, all steps', () => ({ known: knownOf(update), scanned: carried(others) }), ({ known, scanned }) => { known.add(scanned) })
  const steps = Array.from({ length: 5 }, () => longest(knownOf(update).adding(carried(others)))).sort((a, b) => a - b)
  console.log(`  ${'its longest step'.padEnd(50)} ${steps[2]!.toFixed(2).padStart(8)} ms   worst ${steps[4]!.toFixed(2)}`)
  time('state vector', () => knownOf(update), (known) => known.encodeStateVector())
  const vector = knownOf(others).encodeStateVector()
  time('covers another vector', nothing, () => { known.covers(vector) })
  time('delete set for a reader', () => knownOf(update), (known) => known.encodeDeleteSetUpdate())
  time('encode', nothing, () => known.encode())
  time('decode', nothing, () => Known.decode(encoded))
  time('a worker\'s Known is adopted', () => known.pack(), (packed) => Known.unpack(packed))
  let at = 0
  time('100 updates of 20 single deletions each', nothing, () => {
    for (let i = 0; i < 100; i++) {
      const deletes = new DeleteSet()
      for (let j = 0; j < 20; j++) deletes.add(7, 4 * at++ + 2, 1)
      known.addDeletes(deletes)
    }
  })
  memory(encoded)
}

function memory (encoded: Uint8Array): void {
  const held: Known[] = []
  const bytes = (): number => {
    globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = bytes()
  for (let i = 0; i < 10; i++) held.push(Known.decode(encoded))
  console.log(`  ${'memory of one Known'.padEnd(50)} ${((bytes() - before) / held.length / 1e6).toFixed(2).padStart(8)} MB`)
}

for (const clients of [50_000, 100_000]) {
  console.log(`${clients} clients`)
  measure(ofClients(clients), ofClients(clients, 3))
}
for (const ranges of [125_000, 250_000]) {
  console.log(`${ranges} ranges of deletions`)
  measure(ofRanges(ranges), ofRanges(ranges, 2))
}
