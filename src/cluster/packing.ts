import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Bytes of the smallest batch that is packed: a shorter one gains a few bytes and costs as much time as a long one. */
const minPackedBytes = 48
/** Bytes of the largest batch that is packed: a longer one would block the event loop for more than a millisecond. */
const maxPackedBytes = 64 * 1024
/** Bytes of earlier batches that a batch can refer to, since client ids recur: 4 KiB, which `windowBits` states too. */
const historyBytes = 4096
/** The cheapest level: 30 µs for a batch of 250 bytes, 10 to read it. */
const packOptions = { level: 1, memLevel: 3, windowBits: 12, chunkSize: 1024 }
const unpackOptions = { windowBits: 12, chunkSize: 4096, maxOutputLength: maxPackedBytes }

/**
 * Compresses batches with the earlier ones of the same link as dictionary, which saves about 40 % while people type.
 * Both ends keep the same dictionary, so each batch must be packed, or noted, once and in order.
 */
export class Packing {
  #history: Buffer = Buffer.alloc(0)

  /** Packs a batch. @returns undefined if packing does not pay: the entries are to be sent unpacked */
  pack (entries: Uint8Array): Uint8Array | undefined {
    const isWorthIt = entries.length >= minPackedBytes && entries.length <= maxPackedBytes
    const packed = isWorthIt ? deflateRawSync(entries, { ...packOptions, ...this.#dictionary() }) : undefined
    this.note(entries)
    return packed !== undefined && packed.length < entries.length ? packed : undefined
  }

  /** Unpacks a batch. @throws Error if the bytes were not packed with the same history */
  unpack (packed: Uint8Array): Uint8Array {
    const entries = inflateRawSync(packed, { ...unpackOptions, ...this.#dictionary() })
    this.note(entries)
    return entries
  }

  /** Remembers a batch that was not packed. */
  note (entries: Uint8Array): void {
    const kept = entries.length >= historyBytes ? entries.subarray(-historyBytes) : entries
    const before = this.#history.subarray(Math.max(0, this.#history.length + kept.length - historyBytes))
    this.#history = Buffer.concat([before, kept])
  }

  /** zlib rejects an empty dictionary. */
  #dictionary (): { dictionary?: Buffer } {
    return this.#history.length === 0 ? {} : { dictionary: this.#history }
  }
}
