/** Up to this many bytes a loop copies faster than the runtime's own call. */
const loopCopyBytes = 64
/**
 * Up to this many characters a loop writes ASCII faster than the runtime's encoder starts. Their length takes one byte.
 */
const loopTextLength = 127
/** Bytes that a number of variable length takes at most. */
const maxNumberBytes = 8

const utf8 = new TextEncoder()

/** Bytes that `varUint` takes for a number. */
export function varUintSize (number: number): number {
  let size = 1
  for (let rest = number; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Collects values in lib0's encoding. Grows as needed; a good first capacity saves the copying. */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>
  #length = 0

  constructor (capacity = 64) {
    this.#buffer = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length (): number {
    return this.#length
  }

  /** Writes one byte. */
  byte (byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = byte
  }

  /** Writes an unsigned number up to 2^53 - 1 in groups of 7 bits, lowest first. */
  varUint (number: number): void {
    this.#reserve(maxNumberBytes)
    let rest = number
    // Bitwise operators hold 32 bits only, so large numbers are divided first.
    while (rest > 0x7fffffff) {
      this.#buffer[this.#length++] = 0x80 | (rest % 0x80)
      rest = Math.floor(rest / 0x80)
    }
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = 0x80 | (rest & 0x7f)
      rest >>>= 7
    }
    this.#buffer[this.#length++] = rest
  }

  /** Writes a signed number from -(2^31 - 1) to 2^31 - 1. The first byte holds the sign and 6 bits. */
  varInt (number: number): void {
    const size = Math.abs(number)
    this.byte((size > 0x3f ? 0x80 : 0) | (number < 0 ? 0x40 : 0) | (size & 0x3f))
    if (size > 0x3f) this.varUint(size >>> 6)
  }

  /** Writes a number as a 64-bit float, highest byte first. */
  float64 (number: number): void {
    this.#reserve(8)
    new DataView(this.#buffer.buffer).setFloat64(this.#length, number)
    this.#length += 8
  }

  /** Writes a text as UTF-8 with its length in bytes before it. */
  text (text: string): void {
    if (text.length <= loopTextLength && this.#asciiText(text)) return
    // A UTF-16 unit takes at most three bytes. Their number comes first but is known last, so the text is moved.
    this.#reserve(text.length * 3 + maxNumberBytes)
    const start = this.#length + maxNumberBytes
    const { written } = utf8.encodeInto(text, this.#buffer.subarray(start))
    this.varUint(written)
    this.#buffer.copyWithin(this.#length, start, start + written)
    this.#length += written
  }

  /** Writes the bytes of an array, all or from one offset to another. */
  copy (source: Uint8Array, from = 0, to = source.length): void {
    const size = to - from
    this.#reserve(size)
    const buffer = this.#buffer
    const at = this.#length
    if (size > loopCopyBytes) buffer.set(size === source.length ? source : source.subarray(from, to), at)
    else for (let i = 0; i < size; i++) buffer[at + i] = source[from + i]!
    this.#length = at + size
  }

  /** Writes all that another writer holds. */
  append (other: ByteWriter): void {
    this.copy(other.#buffer, 0, other.#length)
  }

  /** All bytes, in memory of exactly their size. The writer must not be used afterwards. */
  finish (): Uint8Array<ArrayBuffer> {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length)
  }

  /** Writes a short text if it is ASCII. @returns whether it is */
  #asciiText (text: string): boolean {
    const { length } = text
    this.#reserve(length + 1)
    const buffer = this.#buffer
    let at = this.#length
    buffer[at++] = length
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return false
      buffer[at++] = code
    }
    this.#length = at
    return true
  }

  #reserve (size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
