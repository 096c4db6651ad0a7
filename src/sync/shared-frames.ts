import { framesOf, type Address } from '../protocol/frame.ts'

/** The same messages for many connections: one buffer for all that share an address. */
export class SharedFrames {
  readonly #messages: readonly Uint8Array[]
  /** By key of the address, where there is more than one */
  #frames: Map<string, Buffer> | undefined
  #key: string | undefined
  #last: Buffer = noFrames

  constructor (messages: readonly Uint8Array[]) {
    this.#messages = messages
  }

  for (address: Address): Buffer {
    if (address.key === this.#key) return this.#last
    if (this.#key !== undefined) this.#frames ??= new Map([[this.#key, this.#last]])
    let frames = this.#frames?.get(address.key)
    if (frames === undefined) {
      frames = framesOf(address, this.#messages)
      this.#frames?.set(address.key, frames)
    }
    this.#key = address.key
    this.#last = frames
    return frames
  }
}

const noFrames = Buffer.alloc(0)
