import { framePartsOf, noAddress, type Address } from '../../protocol/frame.ts'
import type { Socket } from '../socket.ts'

/** The same messages for many connections: one buffer for all that share an address, large messages once for all. */
export class SharedFrames {
  readonly #messages: readonly Uint8Array[]
  readonly #unaddressed: Uint8Array | undefined
  /** By key of the address; undefined while there is only one */
  #frames: Map<string, readonly Uint8Array[]> | undefined
  #key: string | undefined
  #last: readonly Uint8Array[] = []

  /** @param unaddressed their frames for clients without an address, if they exist already */
  constructor (messages: readonly Uint8Array[], unaddressed?: Uint8Array) {
    this.#messages = messages
    this.#unaddressed = unaddressed
  }

  /** Writes the messages to a socket. */
  writeTo (socket: Socket, address: Address): void {
    const parts = this.#for(address)
    const [only] = parts
    if (parts.length === 1 && only !== undefined) socket.write(only)
    else socket.writeParts(parts)
  }

  #for (address: Address): readonly Uint8Array[] {
    if (address.key === this.#key) return this.#last
    if (this.#key !== undefined) this.#frames ??= new Map([[this.#key, this.#last]])
    let frames = this.#frames?.get(address.key)
    if (frames === undefined) {
      frames = this.#make(address)
      this.#frames?.set(address.key, frames)
    }
    this.#key = address.key
    this.#last = frames
    return frames
  }

  #make (address: Address): readonly Uint8Array[] {
    if (this.#unaddressed !== undefined && address.key === noAddress.key) return [this.#unaddressed]
    return framePartsOf(address, this.#messages)
  }
}
