/** The references of Yjs's contents and shared types in the V1 format (yjs `structs/`, `types/`). */
const contentString = 4
const contentFormat = 6
const contentType = 7
const contentAny = 8
const typeXmlElement = 3
const typeXmlText = 6

const hasOrigin = 0x80
const hasParentSub = 0x20

/** A value that Yjs can hold in an attribute. */
export type AnyValue = undefined | string | number | boolean | Array<number | undefined>

/** Bytes of the first piece of an update, and the most of one after it, each twice as large as the one before: pieces are never copied to grow. */
const firstPieceBytes = 4096
const maxPieceBytes = 1 << 20

/** Characters up to which text is written one by one while it is ASCII, which is faster than an encoder's start. */
const shortText = 128

/** Bytes that are the same wherever they occur; documents repeat a few names and values thousands of times. */
const encodedStrings = new Map<string, Uint8Array>()
/** The same for an attribute's name with its value, for values that come from a block's defaults and the like. */
const encodedAttributes = new Map<string, Map<AnyValue, Uint8Array>>()
/** The most strings, and values of one attribute, so that no document fills the memory. */
const maxEncoded = 1000
const maxValues = 100
const utf8 = new TextEncoder()

/**
 * Writes the items of one client as a Yjs update, V1, one after the other. An item is named by the clock at which it
 * starts; clocks count UTF-16 units of text and one for anything else.
 */
export class StructWriter {
  /** The piece being written, and how much of it is. */
  #bytes = new Uint8Array(firstPieceBytes)
  #length = 0
  readonly #full: Uint8Array[] = []
  #clock = 0
  #count = 0
  readonly #clientBytes: Uint8Array

  /** @param client a random 32-bit number: whoever writes with a used one corrupts the document */
  constructor (client: number) {
    this.#clientBytes = varUint(client)
  }

  /** An element after `left` among the children of `parent` (a clock, or the name of a root type). `left` is undefined for the first child. */
  xmlElement (name: string, parent: number | string, left: number | undefined): number {
    this.#item(contentType, parent, left)
    this.#varUint(typeXmlElement)
    this.#string(name, true)
    return this.#advance(1)
  }

  xmlText (parent: number, left: number | undefined): number {
    this.#item(contentType, parent, left)
    this.#varUint(typeXmlText)
    return this.#advance(1)
  }

  attribute (parent: number, name: string, value: AnyValue): void {
    this.#byte(contentAny | hasParentSub)
    this.#parent(parent)
    if (isRare(value)) this.#attribute(name, value)
    else this.#encoded(encodedAttributes.get(name)?.get(value) ?? encodeAttribute(name, value))
    this.#advance(1)
  }

  /** Text within an XmlText. Returns the clock of its last unit. */
  text (text: string, parent: number, left: number | undefined): number {
    this.#item(contentString, parent, left)
    this.#string(text, false)
    return this.#advance(text.length) + text.length - 1
  }

  /** Switches a mark on, or off with `null`. The value is JSON. */
  format (key: string, value: string, parent: number, left: number | undefined): number {
    this.#item(contentFormat, parent, left)
    this.#string(key, true)
    this.#string(value, true)
    return this.#advance(1)
  }

  /** The update: one client, all that was written, nothing deleted. Ends the writer's life. */
  finish (): Uint8Array {
    const head = this.#count === 0 ? [varUint(0)] : [varUint(1), varUint(this.#count), this.#clientBytes, varUint(0)]
    // The last byte: an empty delete set.
    return concat([...head, ...this.#pieces(), varUint(0)])
  }

  /** All that was written. */
  #pieces (): Uint8Array[] {
    return [...this.#full, this.#bytes.subarray(0, this.#length)]
  }

  #attribute (name: string, value: AnyValue): void {
    this.#string(name, true)
    this.#varUint(1)
    this.#any(value)
  }

  #item (content: number, parent: number | string, left: number | undefined): void {
    if (left === undefined) {
      this.#byte(content)
      this.#parent(parent)
    } else {
      // With an origin the parent is the origin's and is not written.
      this.#byte(content | hasOrigin)
      this.#encoded(this.#clientBytes)
      this.#varUint(left)
    }
  }

  #parent (parent: number | string): void {
    if (typeof parent === 'string') {
      this.#varUint(1)
      this.#string(parent, false)
    } else {
      this.#byte(0)
      this.#encoded(this.#clientBytes)
      this.#varUint(parent)
    }
  }

  #advance (length: number): number {
    const clock = this.#clock
    this.#clock += length
    this.#count++
    return clock
  }

  /** lib0's `any` encoding, for the kinds that props use. */
  #any (value: AnyValue): void {
    if (value === undefined) this.#byte(127)
    else if (typeof value === 'string') {
      this.#byte(119)
      this.#string(value, value.length < 20)
    } else if (typeof value === 'boolean') this.#byte(value ? 120 : 121)
    else if (typeof value === 'number') this.#number(value)
    else {
      this.#byte(117)
      this.#varUint(value.length)
      for (const entry of value) this.#any(entry)
    }
  }

  #number (value: number): void {
    if (Number.isInteger(value) && Math.abs(value) <= 0x7fffffff && !Object.is(value, -0)) {
      this.#byte(125)
      this.#varInt(value)
      return
    }
    // 123 is a 64-bit float, big endian.
    this.#byte(123)
    this.#reserve(8)
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value)
    this.#length += 8
  }

  #varInt (value: number): void {
    const negative = value < 0
    let rest = Math.abs(value)
    this.#byte((rest > 63 ? 0x80 : 0) | (negative ? 0x40 : 0) | (rest & 63))
    rest = Math.floor(rest / 64)
    while (rest > 0) {
      this.#byte((rest > 127 ? 0x80 : 0) | (rest & 127))
      rest = Math.floor(rest / 128)
    }
  }

  #varUint (value: number): void {
    this.#reserve(8)
    let rest = value
    // Shifts are for 31 bits; a clock beyond them is divided.
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = 0x80 | (rest % 128)
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.#bytes[this.#length++] = 0x80 | (rest & 127)
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  #string (text: string, repeated: boolean): void {
    if (repeated) return this.#encoded(encodeOnce(text))
    if (text.length < shortText && this.#ascii(text)) return
    // At most three bytes for a UTF-16 unit. The length goes before, so the text is written behind and moved.
    this.#reserve(text.length * 3 + 8)
    const start = this.#length + 8
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start))
    this.#varUint(written)
    this.#bytes.copyWithin(this.#length, start, start + written)
    this.#length += written
  }

  /** Writes a short text if it is ASCII. */
  #ascii (text: string): boolean {
    const { length } = text
    this.#reserve(length + 1)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = length
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) return false
      bytes[at++] = code
    }
    this.#length = at
    return true
  }

  #encoded (encoded: Uint8Array): void {
    const { length } = encoded
    this.#reserve(length)
    if (length > 64) this.#bytes.set(encoded, this.#length)
    // Short ones are copied before a native call would have begun.
    else for (let index = 0; index < length; index++) this.#bytes[this.#length + index] = encoded[index] ?? 0
    this.#length += length
  }

  #byte (value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve (more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    this.#full.push(this.#bytes.subarray(0, this.#length))
    this.#bytes = new Uint8Array(Math.max(Math.min(this.#bytes.length * 2, maxPieceBytes), more))
    this.#length = 0
  }

  /** A name with a value as every writer writes them, kept while there is room. */
  static encodeAttribute (name: string, value: AnyValue): Uint8Array {
    const writer = new StructWriter(0)
    writer.#attribute(name, value)
    return concat(writer.#pieces())
  }
}

/** A value that is not worth keeping: text that hardly comes twice, widths, and numbers that a map would take for another (-0 for 0). */
function isRare (value: AnyValue): boolean {
  if (typeof value === 'string') return value.length >= 20
  return typeof value === 'object' || (typeof value === 'number' && !(value > 0))
}

function encodeAttribute (name: string, value: AnyValue): Uint8Array {
  const bytes = StructWriter.encodeAttribute(name, value)
  let known = encodedAttributes.get(name)
  if (known === undefined && encodedAttributes.size < maxEncoded && name.length < 64) encodedAttributes.set(name, known = new Map())
  if (known !== undefined && known.size < maxValues) known.set(value, bytes)
  return bytes
}

/** A string with its length before it, kept while there is room: names and default values come again and again. */
function encodeOnce (text: string): Uint8Array {
  const known = encodedStrings.get(text)
  if (known !== undefined) return known
  const body = utf8.encode(text)
  const bytes = concat([varUint(body.length), body])
  if (encodedStrings.size < maxEncoded && text.length < 64) encodedStrings.set(text, bytes)
  return bytes
}

function varUint (value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push(0x80 | (rest & 127))
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

function concat (pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
