import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { Packing } from '../../src/cluster/packing.ts'

/** Sizes at which packing behaves differently: too short, beyond the history, above the maximum for packing. */
const batch = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(400))
      .map(([part, times]) => repeat(part, times)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(47, 48, 4095, 4096, 4097, 65_535, 65_536, 65_537)
      .map((length) => new Uint8Array(length).fill(7)),
  }
)

const repeat = (part: Uint8Array, times: number): Uint8Array => Buffer.concat(Array.from({ length: times }, () => part))

await t.test('Packed batches are unpacked one by one, in order, and never longer', async (t) => {
  fc.assert(fc.property(fc.array(batch, { maxLength: 12 }), (batches) => {
    const [out, back] = [new Packing(), new Packing()]
    for (const entries of batches) {
      const packed = out.pack(entries)
      if (packed === undefined) back.note(entries)
      else if (packed.length >= entries.length || !Buffer.from(back.unpack(packed)).equals(entries)) return false
    }
    return true
  }))
  t.pass()
})

await t.test('Batches that are too short or too long are sent unpacked', async (t) => {
  t.equal(new Packing().pack(new Uint8Array(47)), undefined)
  t.ok(new Packing().pack(new Uint8Array(48)))
  t.ok(new Packing().pack(new Uint8Array(64 * 1024)))
  t.equal(new Packing().pack(new Uint8Array(64 * 1024 + 1)), undefined)
})

await t.test('Earlier batches make the same batch shorter, whether they were packed or only recorded', async (t) => {
  const entries = Buffer.from(Array.from({ length: 120 }, (_none, index) => (index * index * 31) % 251))
  const fresh = new Packing()
  const knowing = new Packing()
  knowing.note(entries)
  const first = fresh.pack(entries)?.length ?? entries.length
  for (const after of [knowing, fresh]) {
    const again = after.pack(entries)
    t.ok(again !== undefined && again.length < first / 2)
  }
})

await t.test('A batch that would unpack to more than the largest batch is rejected', async (t) => {
  t.throws(() => new Packing().unpack(deflateRawSync(new Uint8Array(64 * 1024 + 1), { windowBits: 12 })))
})
