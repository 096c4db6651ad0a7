import { randomBytes } from 'node:crypto'
import t from 'tap'
import { encodeUpdate } from '../../src/protocol/encode-message.ts'
import { framesOf, noAddress } from '../../src/protocol/frame.ts'
import { frameUpdate } from '../../src/protocol/framed-update.ts'

// Around every length at which a header grows.
const sizes = [
  0, 1, 121, 122, 123, 124, 127, 128, 129, 16_383, 16_384, 65_530, 65_531, 65_532, 65_536, 2_097_151, 2_097_152,
]

await t.test('A framed update has the bytes of its parts', async (t) => {
  for (const size of sizes) {
    const update = randomBytes(size)
    const framed = frameUpdate(update)
    t.ok(update.equals(framed.update), `${size} bytes: the update`)
    t.ok(Buffer.from(encodeUpdate(update)).equals(framed.message), `${size} bytes: the message`)
    t.ok(framesOf(noAddress, [encodeUpdate(update)]).equals(framed.frame), `${size} bytes: the frame`)
  }
})

await t.test('A framed update keeps no other bytes alive', async (t) => {
  const network = randomBytes(64 * 1024)
  const { update, frame } = frameUpdate(network.subarray(100, 150))
  t.not(update.buffer, network.buffer)
  t.equal(update.buffer, frame.buffer)
  t.equal(update.buffer.byteLength, frame.length)
})
