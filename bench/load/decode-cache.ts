import type { Decoded, Wire } from './wire.ts'

const slotCount = 512
const longestRemembered = 64 * 1024

/**
 * Decodes each distinct frame once: all readers of a room receive the same bytes within moments, and comparing bytes is
 * cheaper than scanning them.
 */
export class DecodeCache {
  readonly #wire: Wire
  readonly #slots: Array<{ bytes: Buffer, decoded: Decoded } | undefined> = new Array(slotCount)
  /** A long frame is the same object for all its receivers (FrameBuffer). */
  readonly #long = new WeakMap<Buffer, Decoded>()

  constructor (wire: Wire) {
    this.#wire = wire
  }

  /** @throws on bytes that are no message of the wire's protocol */
  decode (frame: Buffer): Decoded {
    if (frame.length > longestRemembered) return this.#decodeLong(frame)
    const slot = slotOf(frame)
    const known = this.#slots[slot]
    if (known !== undefined && known.bytes.equals(frame)) return known.decoded
    const decoded = this.#wire.decode(frame)
    this.#slots[slot] = { bytes: Buffer.from(frame), decoded }
    return decoded
  }

  #decodeLong (frame: Buffer): Decoded {
    const known = this.#long.get(frame)
    if (known !== undefined) return known
    const decoded = this.#wire.decode(frame)
    this.#long.set(frame, decoded)
    return decoded
  }
}

/** A cheap hash of the length and the last bytes, where updates differ (clock and content are at the end). */
function slotOf (frame: Buffer): number {
  const { length } = frame
  let mix = length
  for (let at = Math.max(0, length - 12); at < length; at++) mix = (Math.imul(mix, 31) + (frame[at] ?? 0)) | 0
  return (mix >>> 0) % slotCount
}
