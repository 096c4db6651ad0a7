import { framesOf, type Address } from '../protocol/frame.ts'

/** The same messages for many connections: one buffer for all that share an address. */
export class SharedFrames {
  readonly #messages: readonly Uint8Array[]
  readonly #frames = new Map<string, Buffer>()
  #key: string | undefined
  #last: Buffer = Buffer.alloc(0)

  constructor (messages: readonly Uint8Array[]) {
    this.#messages = messages
  }

  for (address: Address): Buffer {
    if (address.key === this.#key) return this.#last
    let frames = this.#frames.get(address.key)
    if (frames === undefined) {
      frames = framesOf(address, this.#messages)
      this.#frames.set(address.key, frames)
    }
    this.#key = address.key
    this.#last = frames
    return frames
  }
}
