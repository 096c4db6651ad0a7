import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Shorter batches gain a few bytes and cost as much time as long ones. */
const minPackedBytes = 48
/** Longer ones would hold up the event loop for more than a millisecond. */
const maxPackedBytes = 64 * 1024
/** How much of what went before is looked at: client ids come again and again. 4 KiB, which `windowBits` says too. */
const historyBytes = 4096
/** The cheapest level: 30 µs for a batch of 250 bytes, 10 to read it. */
const packOptions = { level: 1, memLevel: 3, windowBits: 12, chunkSize: 1024 }
const unpackOptions = { windowBits: 12, chunkSize: 4096, maxOutputLength: maxPackedBytes }

/**
 * Makes batches smaller by what went before over the same link: those of typing people by some 40 %. Both ends remember the
 * same, so each batch must be packed, or noted, once and in order.
 */
export class Packing {
  #history: Buffer = Buffer.alloc(0)

  /** @returns undefined where packing does not pay: the entries are to be sent as they are */
  pack (entries: Uint8Array): Uint8Array | undefined {
    const isWorthIt = entries.length >= minPackedBytes && entries.length <= maxPackedBytes
    const packed = isWorthIt ? deflateRawSync(entries, { ...packOptions, ...this.#dictionary() }) : undefined
    this.note(entries)
    return packed !== undefined && packed.length < entries.length ? packed : undefined
  }

  /** @throws Error where the bytes were not packed with the same history */
  unpack (packed: Uint8Array): Uint8Array {
    const entries = inflateRawSync(packed, { ...unpackOptions, ...this.#dictionary() })
    this.note(entries)
    return entries
  }

  /** Remembers a batch that came as it was. */
  note (entries: Uint8Array): void {
    const kept = entries.length >= historyBytes ? entries.subarray(-historyBytes) : entries
    const before = this.#history.subarray(Math.max(0, this.#history.length + kept.length - historyBytes))
    this.#history = Buffer.concat([before, kept])
  }

  /** An empty one is refused by zlib. */
  #dictionary (): { dictionary?: Buffer } {
    return this.#history.length === 0 ? {} : { dictionary: this.#history }
  }
}
