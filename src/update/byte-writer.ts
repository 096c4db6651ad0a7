/** Below this many bytes a loop copies faster than the runtime's own call. */
const loopCopyBytes = 48

/** Bytes that `varUint` takes for a number. */
export function varUintSize (number: number): number {
  let size = 1
  for (let rest = number; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Collects bytes in lib0's encoding. Grows as needed; a good first capacity saves the copying. */
export class ByteWriter {
  #buffer: Uint8Array
  #length = 0

  constructor (capacity = 64) {
    this.#buffer = new Uint8Array(capacity)
  }

  get length (): number {
    return this.#length
  }

  #reserve (size: number): void {
    const needed = this.#length + size
    if (needed <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }

  byte (byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = byte
  }

  /** Writes an unsigned number up to 2^53 - 1 in 7-bit groups, lowest first. */
  varUint (number: number): void {
    this.#reserve(8)
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

  copy (source: Uint8Array, from = 0, to = source.length): void {
    this.#reserve(to - from)
    if (to - from < loopCopyBytes) {
      for (let i = from; i < to; i++) this.#buffer[this.#length++] = source[i]!
    } else {
      this.#buffer.set(source.subarray(from, to), this.#length)
      this.#length += to - from
    }
  }

  /** What was written, in memory of exactly its size. The writer must not be used afterwards. */
  finish (): Uint8Array {
    return this.#length === this.#buffer.length ? this.#buffer : this.#buffer.slice(0, this.#length)
  }
}
