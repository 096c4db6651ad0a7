import { ByteReader } from '../../update/byte-reader.ts'

/** As lib0 decodes: damaged text is an error, a byte order mark is text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Below this many bytes a loop reads ASCII faster than a decoder starts. */
const loopTextBytes = 48

/** Levels of lists within lists; attributes hold one at most. */
const maxDepth = 8

/** Reads texts and the values of attributes from a Yjs update. */
export class ValueReader extends ByteReader {
  /** Reads a text with its length before it. @throws TypeError if it is not UTF-8 */
  text (): string {
    const length = this.varUint()
    const { bytes, pos: from } = this
    const to = from + length
    this.skip(length)
    let text = ''
    let at = from
    if (length < loopTextBytes) {
      for (; at < to; at++) {
        const byte = bytes[at]!
        if (byte > 127) break
        text += String.fromCharCode(byte)
      }
    }
    return at === to ? text : utf8.decode(bytes.subarray(from, to))
  }

  /**
   * Reads the value of an attribute.
   * @throws MalformedUpdate also for a kind of value that attributes do not use
   * @see https://github.com/dmonad/lib0/blob/main/encoding.js writeAny
   */
  any (depth = 0): unknown {
    switch (this.byte()) {
      case 127: return undefined
      case 126: return null
      case 125: return this.varInt()
      case 124: return this.#view(4).getFloat32(0)
      case 123: return this.#view(8).getFloat64(0)
      case 121: return false
      case 120: return true
      case 119: return this.text()
      case 117: return this.#list(depth)
      default: this.fail('it has a kind of value that attributes do not use')
    }
  }

  #list (depth: number): unknown[] {
    if (depth > maxDepth) this.fail('a value is nested too deeply')
    const values: unknown[] = []
    for (let left = this.varUint(); left > 0; left--) values.push(this.any(depth + 1))
    return values
  }

  #view (length: number): DataView {
    const from = this.pos
    this.skip(length)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + from, length)
  }
}
