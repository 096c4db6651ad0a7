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

/** Bytes that are the same wherever they occur; documents repeat a few names and values thousands of times. */
const encodedStrings = new Map<string, Uint8Array>()
const utf8 = new TextEncoder()

/**
 * Writes the items of one client as a Yjs update, V1, one after the other. An item is named by the clock at which it
 * starts; clocks count UTF-16 units of text and one for anything else.
 */
export class StructWriter {
  #bytes = new Uint8Array(1024)
  #length = 0
  #clock = 0
  #count = 0
  readonly #client: number

  /** @param client a random 32-bit number: whoever writes with a used one corrupts the document */
  constructor (client: number) {
    this.#client = client
  }

  /** The next item's clock. */
  get clock (): number {
    return this.#clock
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
    this.#string(name, true)
    this.#varUint(1)
    this.#any(value)
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

  /** The update: one client, all that was written, nothing deleted. */
  finish (): Uint8Array {
    const head = new StructWriter(this.#client)
    head.#varUint(this.#count === 0 ? 0 : 1)
    if (this.#count > 0) {
      head.#varUint(this.#count)
      head.#varUint(this.#client)
      head.#varUint(0)
    }
    const update = new Uint8Array(head.#length + this.#length + 1)
    update.set(head.#bytes.subarray(0, head.#length))
    update.set(this.#bytes.subarray(0, this.#length), head.#length)
    // The last byte stays 0: an empty delete set.
    return update
  }

  #item (content: number, parent: number | string, left: number | undefined): void {
    if (left === undefined) {
      this.#byte(content)
      this.#parent(parent)
    } else {
      // With an origin the parent is the origin's and is not written.
      this.#byte(content | hasOrigin)
      this.#varUint(this.#client)
      this.#varUint(left)
    }
  }

  #parent (parent: number | string): void {
    if (typeof parent === 'string') {
      this.#varUint(1)
      this.#string(parent, false)
    } else {
      this.#varUint(0)
      this.#varUint(this.#client)
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
    while (rest > 127) {
      this.#bytes[this.#length++] = 0x80 | (rest & 127)
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  #string (text: string, repeated: boolean): void {
    if (repeated) return this.#encoded(encodeOnce(text))
    // At most three bytes for a UTF-16 unit; the length goes before, so short text is written where it will stay.
    this.#reserve(text.length * 3 + 8)
    if (text.length < 42) {
      const { written } = utf8.encodeInto(text, this.#bytes.subarray(this.#length + 1))
      this.#bytes[this.#length] = written
      this.#length += written + 1
      return
    }
    const start = this.#length + 8
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start))
    this.#varUint(written)
    this.#bytes.copyWithin(this.#length, start, start + written)
    this.#length += written
  }

  #encoded (bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #byte (value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  #reserve (more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const bytes = new Uint8Array((this.#length + more) * 2)
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}

/** A string with its length before it, kept while there is room: names and default values come again and again. */
function encodeOnce (text: string): Uint8Array {
  const known = encodedStrings.get(text)
  if (known !== undefined) return known
  const body = utf8.encode(text)
  const head: number[] = []
  let rest = body.length
  while (rest > 127) {
    head.push(0x80 | (rest & 127))
    rest = Math.floor(rest / 128)
  }
  head.push(rest)
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  if (encodedStrings.size < 1000 && text.length < 64) encodedStrings.set(text, bytes)
  return bytes
}
