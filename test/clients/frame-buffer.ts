/** Frames at least this long are compared with those already in memory: below it, copying is cheaper than comparing. */
const sharedFromBytes = 32 * 1024
/** The number of different long frames to remember: a 20 MB document in pieces of 256 KiB, or several whole ones. */
const rememberedFrames = 160

interface Shared { bytes: Buffer, filled: number }

/**
 * Long frames by length, oldest first. When a server sends one 20 MB frame to 150 clients, the generator holds it once.
 */
const remembered = new Map<number, Shared>()

/**
 * Collects a frame that arrives in pieces. Frames of one length share their bytes as long as they are equal; the first
 * that differs gets its own copy. Many clients that receive the same large document thus cost its size once, and
 * `bytes` is the same object for all of them.
 */
export class FrameBuffer {
  readonly length: number
  #bytes: Buffer
  #shared: Shared | undefined
  #received = 0

  constructor (length: number) {
    this.length = length
    if (length < sharedFromBytes) {
      this.#bytes = Buffer.allocUnsafe(length)
      return
    }
    let shared = remembered.get(length)
    if (shared === undefined) {
      shared = { bytes: Buffer.allocUnsafeSlow(length), filled: 0 }
      remembered.set(length, shared)
      const [oldest] = remembered.keys()
      if (remembered.size > rememberedFrames && oldest !== undefined) remembered.delete(oldest)
    }
    this.#shared = shared
    this.#bytes = shared.bytes
  }

  get missing (): number {
    return this.length - this.#received
  }

  /** The frame; complete once nothing is missing. Must not be changed: other clients can share it. */
  get bytes (): Buffer {
    return this.#bytes
  }

  /** Takes the next bytes of the frame; never more than are missing. */
  push (piece: Buffer): void {
    const at = this.#received
    this.#received += piece.length
    const shared = this.#shared
    if (shared === undefined) {
      piece.copy(this.#bytes, at)
      return
    }
    const known = Math.min(piece.length, shared.filled - at)
    if (known > 0 && shared.bytes.compare(piece, 0, known, at, at + known) !== 0) {
      const own = Buffer.allocUnsafeSlow(this.length)
      shared.bytes.copy(own, 0, 0, at)
      piece.copy(own, at)
      this.#bytes = own
      this.#shared = undefined
      return
    }
    if (piece.length > known) {
      piece.copy(shared.bytes, at + known, known)
      shared.filled = at + piece.length
    }
  }
}
