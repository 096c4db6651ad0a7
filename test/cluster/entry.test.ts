import fc from 'fast-check'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import t from 'tap'
import { readEntry, writeEntry, type Entry } from '../../src/cluster/entry.ts'

const number = fc.maxSafeNat()
const bytes = fc.uint8Array({ maxLength: 300 })
const entries = fc.array(fc.record({ clientId: number, clock: number, person: fc.string({ unit: 'binary' }), since: number, leftMs: number, state: fc.string({ unit: 'binary' }) }), { maxLength: 5 })
const seqs = fc.uniqueArray(fc.nat(1000)).map((list) => list.sort((a, b) => a - b))
const message = fc.oneof(
  fc.record({ type: fc.constant('update' as const), update: bytes }),
  fc.record({ type: fc.constant('awareness' as const), entries }),
  fc.record({ type: fc.constant('introduction' as const), lastSeq: number, entries }),
  fc.record({ type: fc.constant('stored' as const), unsaved: number, seqs }),
  fc.record({ type: fc.constant('read' as const) }),
  fc.record({ type: fc.constant('compacted' as const), snapshotBytes: number, logBytes: number, logEntries: number })
)
const to = fc.nat(2 ** 40)
const room = fc.record({ number: to, name: fc.string({ unit: 'binary' }) })
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ type: fc.constant('room' as const), to, message }),
  fc.record({ type: fc.constant('closed' as const), to }),
  room.map((named) => ({ type: 'opened' as const, ...named })),
  fc.record({ type: fc.constant('hello' as const), rooms: fc.array(room, { maxLength: 5 }) }),
  fc.record({ type: fc.constant('wrote' as const), seq: number, name: fc.string({ unit: 'binary' }) }),
  fc.record({ type: fc.constantFrom('question' as const, 'answer' as const), id: number, body: fc.string({ unit: 'binary' }) })
)

t.test('Entries written one after the other are read back', async (t) => {
  fc.assert(fc.property(fc.array(entry, { maxLength: 5 }), (written) => {
    const encoder = encoding.createEncoder()
    for (const each of written) writeEntry(encoder, each)
    const decoder = decoding.createDecoder(encoding.toUint8Array(encoder))
    const read: Entry[] = []
    while (decoding.hasContent(decoder)) read.push(readEntry(decoder))
    t.same(read, written)
  }), { numRuns: 300 })
})

t.test('A keystroke in one of the first rooms adds two bytes to its own size', async (t) => {
  const encoder = encoding.createEncoder()
  writeEntry(encoder, { type: 'room', to: 31, message: { type: 'update', update: new Uint8Array(25) } })
  t.equal(encoding.length(encoder), 27)
})

/** As on the wire: numbers, and bytes unchanged. */
function wire (...parts: Array<number | Uint8Array>): Uint8Array {
  const encoder = encoding.createEncoder()
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part)
    else encoding.writeUint8Array(encoder, part)
  }
  return encoding.toUint8Array(encoder)
}

const [awareness, stored, hello] = [[1], [2, 1, 0], [3]]
const malformed: Record<string, Uint8Array> = {
  'more people than the remaining bytes can contain': wire(...awareness, 2 ** 24),
  'one person more than the remaining bytes can contain': wire(...awareness, 2, new Uint8Array(11)),
  'more rooms than the remaining bytes can contain': wire(...hello, 2 ** 24),
  'one room more than the remaining bytes can contain': wire(...hello, 2, new Uint8Array(3)),
  'more runs than the remaining bytes can contain': wire(...stored, 2 ** 50, 0, 1),
  'one run without an end': wire(...stored, 1, 0, 2 ** 50),
  'many long runs': wire(...stored, 200, ...Array.from({ length: 200 }, () => [1, 50_000]).flat()),
  'a run beyond the largest safe integer': wire(...stored, 1, Number.MAX_SAFE_INTEGER, 5),
}

for (const [what, bytes] of Object.entries(malformed)) {
  t.test(`${what}: rejected before it takes time or memory`, async (t) => {
    const { cpu, heap } = { cpu: process.cpuUsage(), heap: process.memoryUsage().heapUsed }
    t.throws(() => readEntry(decoding.createDecoder(bytes)), { message: /^More / })
    t.ok(process.cpuUsage(cpu).user < 100_000)
    t.ok(process.memoryUsage().heapUsed - heap < 8 * 1024 * 1024)
  })
}

t.test('A node that has stored for a long time without announcing it can announce all of it at once', async (t) => {
  const seqs = Array.from({ length: 50_000 }, (_, i) => 1 + i)
  const encoder = encoding.createEncoder()
  writeEntry(encoder, { type: 'room', to: 1, message: { type: 'stored', unsaved: 0, seqs } })
  t.same(readEntry(decoding.createDecoder(encoding.toUint8Array(encoder))), { type: 'room', to: 1, message: { type: 'stored', unsaved: 0, seqs } })
})
