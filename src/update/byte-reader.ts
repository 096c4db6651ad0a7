import { MalformedUpdate } from './malformed-update.ts'
import { utf16Length } from './utf8.ts'

/**
 * Reads the primitive values of lib0's encoding. Every method throws MalformedUpdate where lib0 would throw, and where
 * a value would pass the end.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly end: number
  #pos: number

  constructor (bytes: Uint8Array, pos = 0) {
    this.bytes = bytes
    this.end = bytes.length
    this.#pos = pos
  }

  /** Offset of the next byte. */
  get pos (): number {
    return this.#pos
  }

  /** Goes on at another offset. */
  seek (pos: number): void {
    this.#pos = pos
  }

  /** @throws MalformedUpdate always @param reason the end of a sentence about the update */
  fail (reason: string): never {
    throw new MalformedUpdate(reason, Math.min(this.#pos, this.end))
  }

  /** Reads one byte. */
  byte (): number {
    if (this.#pos >= this.end) this.fail('it ends too early')
    return this.bytes[this.#pos++]!
  }

  /**
   * Reads an unsigned number of variable length, up to 2^53 - 1. Most take one byte; a client id takes five, and is
   * read here too unless the end is near.
   */
  varUint (): number {
    const { bytes } = this
    const pos = this.#pos
    if (pos + 5 > this.end) return this.longNumber(0, 1)
    let byte = bytes[pos]!
    if (byte < 0x80) {
      this.#pos = pos + 1
      return byte
    }
    let number = byte & 0x7f
    byte = bytes[pos + 1]!
    number |= (byte & 0x7f) << 7
    if (byte < 0x80) {
      this.#pos = pos + 2
      return number
    }
    byte = bytes[pos + 2]!
    number |= (byte & 0x7f) << 14
    if (byte < 0x80) {
      this.#pos = pos + 3
      return number
    }
    byte = bytes[pos + 3]!
    number |= (byte & 0x7f) << 21
    if (byte < 0x80) {
      this.#pos = pos + 4
      return number
    }
    byte = bytes[pos + 4]!
    // Beyond 31 bits only arithmetic is exact.
    number += (byte & 0x7f) * 2 ** 28
    this.#pos = pos + 5
    return byte < 0x80 ? number : this.longNumber(number, 2 ** 35)
  }

  /** Reads a signed number of variable length. */
  varInt (): number {
    const first = this.byte()
    const number = first < 0x80 ? first & 0x3f : this.longNumber(first & 0x3f, 0x40)
    return (first & 0x40) === 0 ? number : -number
  }

  /** Passes bytes. */
  skip (length: number): void {
    if (length > this.end - this.#pos) this.fail('a length points beyond its end')
    this.#pos += length
  }

  /** Passes a text with its length before it. @returns its length in UTF-16 units */
  skipText (): number {
    const from = this.#pos
    const size = this.varUint()
    if (size === 0) return 0
    const start = this.#pos
    this.skip(size)
    const units = utf16Length(this.bytes, start, this.#pos)
    if (units < 0) {
      this.#pos = from
      this.fail('a text is not UTF-8')
    }
    return units
  }

  /** @throws MalformedUpdate if bytes are left */
  finish (): void {
    if (this.#pos !== this.end) this.fail('bytes follow its end')
  }

  /** Reads the rest of a number whose lower part is read. Beyond the factor 2^56 only padding could follow. */
  protected longNumber (low: number, firstFactor: number): number {
    let number = low
    let factor = firstFactor
    while (true) {
      const byte = this.byte()
      number += (byte & 0x7f) * factor
      if (number > Number.MAX_SAFE_INTEGER || factor > 2 ** 56) this.fail('a number is out of range')
      if (byte < 0x80) return number
      factor *= 0x80
    }
  }
}
