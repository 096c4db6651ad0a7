/** As lib0 has it: damaged text is an error, a byte order mark is text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads lib0's encodings from bytes. Every method throws a RangeError at their end. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0

  constructor (bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd (): boolean {
    return this.#position === this.#bytes.length
  }

  byte (): number {
    const byte = this.#bytes[this.#position++]
    if (byte === undefined) throw new RangeError('The update ends too early')
    return byte
  }

  varUint (): number {
    let byte = this.byte()
    let value = byte & 127
    for (let factor = 128; byte > 127; factor *= 128) {
      byte = this.byte()
      value += (byte & 127) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('A number in the update is too large')
    }
    return value
  }

  /** Short names are read byte by byte while they are ASCII, which is faster than a decoder's start. */
  string (): string {
    const length = this.varUint()
    const end = this.#position + length
    if (end > this.#bytes.length) throw new RangeError('The update ends too early')
    let text = ''
    let at = this.#position
    if (length < 48) {
      while (at < end) {
        const byte = this.#bytes[at] ?? 128
        if (byte > 127) break
        text += String.fromCharCode(byte)
        at++
      }
    }
    if (at < end) text = utf8.decode(this.#bytes.subarray(this.#position, end))
    this.#position = end
    return text
  }

  /** @see https://github.com/dmonad/lib0/blob/main/encoding.js writeAny */
  any (depth: number = 0): unknown {
    const kind = this.byte()
    switch (kind) {
      case 127: return undefined
      case 126: return null
      case 125: return this.#varInt()
      case 124: return this.#view(4).getFloat32(0)
      case 123: return this.#view(8).getFloat64(0)
      case 121: return false
      case 120: return true
      case 119: return this.string()
      case 117: {
        if (depth > 8) throw new RangeError('A value in the update is nested too deep')
        const length = this.varUint()
        const values: unknown[] = []
        for (let index = 0; index < length; index++) values.push(this.any(depth + 1))
        return values
      }
      default: throw new RangeError('The update holds a kind of value that attributes do not use')
    }
  }

  #varInt (): number {
    let byte = this.byte()
    const sign = (byte & 64) === 0 ? 1 : -1
    let value = byte & 63
    for (let factor = 64; byte > 127; factor *= 128) {
      byte = this.byte()
      value += (byte & 127) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('A number in the update is too large')
    }
    return sign * value
  }

  #view (length: number): DataView {
    const start = this.#position
    if (start + length > this.#bytes.length) throw new RangeError('The update ends too early')
    this.#position += length
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, length)
  }
}
