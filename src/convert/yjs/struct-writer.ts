import { ByteWriter, varUintSize } from '../../update/byte-writer.ts'
import { flags, kinds, sharedTypes } from '../../update/struct-reader.ts'

/** A value that Yjs can hold in an attribute. */
type AnyValue = undefined | string | number | boolean | Array<number | undefined>

/** The kinds of items in lists and texts. */
type ItemKind = typeof kinds.type | typeof kinds.string | typeof kinds.format

/** Bytes to begin with: most documents are larger. */
const firstCapacity = 4096

/** Texts of this length hardly occur twice. */
const rareLength = 20

/** Encoded names and values: documents repeat a few of them thousands of times. */
const encodedTexts = new Map<string, Uint8Array>()
/** The same for an attribute's name with its value, which is often a block's default. */
const encodedAttributes = new Map<string, Map<AnyValue, Uint8Array>>()
/** The most texts and names, and the most values of one attribute, so that no document fills the memory. */
const maxEncoded = 1000
const maxValues = 100
const maxEncodedLength = 64

/**
 * Writes the items of one client as a Yjs update, V1, one after the other. An item is named by the clock at which it
 * starts; clocks count UTF-16 units of text and one for anything else.
 */
export class StructWriter extends ByteWriter {
  readonly #client: number
  /** The bytes before an origin's clock, by kind: the first byte of the struct, and the client. */
  readonly #originHeads: Readonly<Record<ItemKind, Uint8Array>>
  /** The bytes before a parent's clock: that it has no name, and the client. */
  readonly #parentHead: Uint8Array
  /** The same with the first byte of an attribute's struct. */
  readonly #attributeHead: Uint8Array
  #clock = 0
  #count = 0

  /** @param client a random 32-bit number: a client id that is in use would corrupt the document */
  constructor (client: number) {
    super(firstCapacity)
    this.#client = client
    this.#originHeads = {
      [kinds.type]: encodeHead([kinds.type | flags.origin], client),
      [kinds.string]: encodeHead([kinds.string | flags.origin], client),
      [kinds.format]: encodeHead([kinds.format | flags.origin], client),
    }
    this.#parentHead = encodeHead([0], client)
    this.#attributeHead = encodeHead([kinds.any | flags.parentSub, 0], client)
  }

  /**
   * Writes an element. @returns its clock
   * @param parent a clock, or the name of a root type
   * @param left the last clock of the item before it; undefined for the first child
   */
  xmlElement (name: string, parent: number | string, left: number | undefined): number {
    this.#item(kinds.type, parent, left)
    this.varUint(sharedTypes.xmlElement)
    this.copy(encodeText(name))
    return this.#advance(1)
  }

  /** Writes an empty text, as `xmlElement` an element. */
  xmlText (parent: number, left: number | undefined): number {
    this.#item(kinds.type, parent, left)
    this.varUint(sharedTypes.xmlText)
    return this.#advance(1)
  }

  /** Writes an attribute of an element. */
  attribute (parent: number, name: string, value: AnyValue): void {
    this.copy(this.#attributeHead)
    this.varUint(parent)
    if (isRare(value)) writeAttribute(this, name, value)
    else this.copy(encodedAttributes.get(name)?.get(value) ?? encodeAttribute(name, value))
    this.#advance(1)
  }

  /** Writes characters of an XmlText. @returns the clock of the last unit */
  characters (text: string, parent: number, left: number | undefined): number {
    this.#item(kinds.string, parent, left)
    this.text(text)
    return this.#advance(text.length) + text.length - 1
  }

  /** Switches a mark of an XmlText on, or off with `null`. @param value JSON */
  format (key: string, value: string, parent: number, left: number | undefined): number {
    this.#item(kinds.format, parent, left)
    this.copy(encodeText(key))
    this.copy(encodeText(value))
    return this.#advance(1)
  }

  /** The update: one client, all that was written, nothing deleted. The writer must not be used afterwards. */
  override finish (): Uint8Array<ArrayBuffer> {
    if (this.#count === 0) return Uint8Array.of(0, 0)
    const headSize = 1 + varUintSize(this.#count) + varUintSize(this.#client) + 1
    const update = new ByteWriter(headSize + this.length + 1)
    update.varUint(1)
    update.varUint(this.#count)
    update.varUint(this.#client)
    update.varUint(0)
    update.append(this)
    // An empty delete set.
    update.byte(0)
    return update.finish()
  }

  #item (kind: ItemKind, parent: number | string, left: number | undefined): void {
    if (left === undefined) {
      this.byte(kind)
      this.#parent(parent)
    } else {
      // An item with an origin has its origin's parent, which is not written.
      this.copy(this.#originHeads[kind])
      this.varUint(left)
    }
  }

  #parent (parent: number | string): void {
    if (typeof parent === 'string') {
      this.varUint(1)
      this.text(parent)
    } else {
      this.copy(this.#parentHead)
      this.varUint(parent)
    }
  }

  #advance (length: number): number {
    const clock = this.#clock
    this.#clock += length
    this.#count++
    return clock
  }
}

/** Whether a value is not kept: long text, widths, and numbers that a map would confuse (-0 with 0). */
function isRare (value: AnyValue): boolean {
  if (typeof value === 'string') return value.length >= rareLength
  return typeof value === 'object' || (typeof value === 'number' && !(value > 0))
}

function encodeAttribute (name: string, value: AnyValue): Uint8Array {
  const writer = new ByteWriter()
  writeAttribute(writer, name, value)
  const bytes = writer.finish()
  let values = encodedAttributes.get(name)
  if (values === undefined && encodedAttributes.size < maxEncoded && name.length < maxEncodedLength) {
    encodedAttributes.set(name, values = new Map())
  }
  if (values !== undefined && values.size < maxValues) values.set(value, bytes)
  return bytes
}

/** A text with its length before it, kept while there is room. */
function encodeText (text: string): Uint8Array {
  const known = encodedTexts.get(text)
  if (known !== undefined) return known
  const writer = new ByteWriter()
  writer.text(text)
  const bytes = writer.finish()
  if (encodedTexts.size < maxEncoded && text.length < maxEncodedLength) encodedTexts.set(text, bytes)
  return bytes
}

function encodeHead (bytes: readonly number[], client: number): Uint8Array {
  const writer = new ByteWriter()
  for (const byte of bytes) writer.byte(byte)
  writer.varUint(client)
  return writer.finish()
}

function writeAttribute (writer: ByteWriter, name: string, value: AnyValue): void {
  writer.copy(encodeText(name))
  writer.varUint(1)
  writeAny(writer, value)
}

/** Writes lib0's `any` encoding, for the kinds that props use. */
function writeAny (writer: ByteWriter, value: AnyValue): void {
  if (value === undefined) writer.byte(127)
  else if (typeof value === 'boolean') writer.byte(value ? 120 : 121)
  else if (typeof value === 'number') writeNumber(writer, value)
  else if (typeof value === 'string') {
    writer.byte(119)
    writer.text(value)
  } else {
    writer.byte(117)
    writer.varUint(value.length)
    for (const entry of value) writeAny(writer, entry)
  }
}

function writeNumber (writer: ByteWriter, number: number): void {
  if (Number.isInteger(number) && Math.abs(number) <= 0x7fffffff && !Object.is(number, -0)) {
    writer.byte(125)
    writer.varInt(number)
  } else {
    writer.byte(123)
    writer.float64(number)
  }
}
