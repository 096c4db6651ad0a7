import * as decoding from 'lib0/decoding'
import { noFormats, type StoredElement, type StoredNode, type StoredText, withFormat } from './stored-node.ts'

/** References of the V1 format (yjs `structs/`), see `struct-writer.ts`. */
const contentString = 4
const contentFormat = 6
const contentType = 7
const contentAny = 8
const typeXmlElement = 3
const typeXmlText = 6

/** A list of children that is being filled, and what its next item must name as its left neighbour. */
interface Sequence { element?: StoredElement, text?: StoredText, children: StoredNode[], tail: number, formats: StoredText['runs'][number]['formats'] }

/**
 * Reads a fragment straight from an update that one client wrote from start to end without deleting or inserting between,
 * as a conversion or a program does: several times faster than a Y.Doc.
 * @returns undefined for any other update, damaged ones too: those are for `readDocument`
 */
export function readSimpleUpdate (update: Uint8Array, fragment: string): StoredNode[] | undefined {
  try {
    return new SimpleReader(update, fragment).read()
  } catch {
    // lib0 throws at the end of the bytes. Whether they are damaged or only unusual, the full reader will tell.
    return undefined
  }
}

class SimpleReader {
  readonly #decoder: decoding.Decoder
  readonly #fragment: string
  readonly #roots = new Map<string, Sequence>()
  readonly #byClock = new Map<number, Sequence>()
  /** The sequence whose last item ends at this clock. */
  readonly #byTail = new Map<number, Sequence>()

  constructor (update: Uint8Array, fragment: string) {
    this.#decoder = decoding.createDecoder(update)
    this.#fragment = fragment
  }

  read (): StoredNode[] | undefined {
    const decoder = this.#decoder
    const clients = decoding.readVarUint(decoder)
    if (clients > 1) return undefined
    if (clients === 1) {
      const count = decoding.readVarUint(decoder)
      const client = decoding.readVarUint(decoder)
      if (decoding.readVarUint(decoder) !== 0) return undefined
      let clock = 0
      for (let index = 0; index < count; index++) {
        const length = this.#struct(client, clock)
        if (length === 0) return undefined
        clock += length
      }
    }
    if (decoding.readVarUint(decoder) !== 0 || decoding.hasContent(decoder)) return undefined
    return this.#roots.get(this.#fragment)?.children ?? []
  }

  /** Reads one struct and returns how many clocks it takes; 0 when it is not of the simple kind. */
  #struct (client: number, clock: number): number {
    const info = decoding.readUint8(this.#decoder)
    // Bit 7 is the left origin, bit 6 the right one, which no appended item has, bit 5 a map's key.
    if ((info & 0x40) !== 0) return 0
    const key = (info & 0x20) !== 0
    let sequence: Sequence | undefined
    if ((info & 0x80) !== 0) {
      if (key || decoding.readVarUint(this.#decoder) !== client) return 0
      const origin = decoding.readVarUint(this.#decoder)
      sequence = this.#byTail.get(origin)
      if (sequence?.tail !== origin) return 0
    } else {
      sequence = this.#parent(client)
      if (sequence === undefined) return 0
      if (key) return this.#attribute(sequence, info & 31)
      if (sequence.tail !== -1) return 0
    }
    const length = this.#content(sequence, info & 31, clock)
    if (sequence.tail !== -1) this.#byTail.delete(sequence.tail)
    sequence.tail = clock + length - 1
    this.#byTail.set(sequence.tail, sequence)
    return length
  }

  #parent (client: number): Sequence | undefined {
    if (decoding.readVarUint(this.#decoder) !== 1) {
      return decoding.readVarUint(this.#decoder) === client ? this.#byClock.get(decoding.readVarUint(this.#decoder)) : undefined
    }
    const name = decoding.readVarString(this.#decoder)
    const known = this.#roots.get(name)
    if (known !== undefined) return known
    const root: Sequence = { children: [], tail: -1, formats: noFormats }
    this.#roots.set(name, root)
    return root
  }

  #attribute (sequence: Sequence, content: number): number {
    const name = decoding.readVarString(this.#decoder)
    const { element } = sequence
    if (content !== contentAny || element === undefined || name in element.attributes) return 0
    if (decoding.readVarUint(this.#decoder) !== 1) return 0
    element.attributes[name] = decoding.readAny(this.#decoder)
    return 1
  }

  #content (sequence: Sequence, content: number, clock: number): number {
    if (content === contentType) return sequence.text === undefined ? this.#type(sequence, clock) : 0
    const { text } = sequence
    if (text === undefined) return 0
    if (content === contentString) {
      const string = decoding.readVarString(this.#decoder)
      text.runs.push({ text: string, formats: sequence.formats })
      return string.length
    }
    if (content !== contentFormat) return 0
    const key = decoding.readVarString(this.#decoder)
    sequence.formats = withFormat(sequence.formats, key, JSON.parse(decoding.readVarString(this.#decoder)))
    return 1
  }

  #type (sequence: Sequence, clock: number): number {
    const type = decoding.readVarUint(this.#decoder)
    if (type === typeXmlElement) {
      const element: StoredElement = { name: decoding.readVarString(this.#decoder), attributes: Object.create(null), children: [] }
      sequence.children.push(element)
      this.#byClock.set(clock, { element, children: element.children, tail: -1, formats: noFormats })
      return 1
    }
    if (type !== typeXmlText) return 0
    const text: StoredText = { runs: [], embeds: 0 }
    sequence.children.push(text)
    this.#byClock.set(clock, { text, children: [], tail: -1, formats: noFormats })
    return 1
  }
}
