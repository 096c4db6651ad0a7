import { ByteReader } from './byte-reader.ts'
import { type Formats, noFormats, type StoredElement, type StoredNode, type StoredText, withFormat } from './stored-node.ts'

/** References of the V1 format (yjs `structs/`), see `struct-writer.ts`. */
const contentString = 4
const contentFormat = 6
const contentType = 7
const contentAny = 8
const typeXmlElement = 3
const typeXmlText = 6

/** A list of children that is being filled, and what its next item must name as its left neighbour. */
interface Sequence {
  element?: StoredElement
  text?: StoredText
  children: StoredNode[]
  /** The sequence that this one's element or text is a child of. */
  parent?: Sequence
  /** The last clock of its last item; -1 while it is empty. */
  tail: number
  formats: Formats
}

/**
 * Reads a fragment straight from an update that one client wrote from start to end without deleting or inserting between,
 * as a conversion or a program does: several times faster than a Y.Doc.
 * @returns undefined for any other update, damaged ones too: those are for `readDocument`
 */
export function readSimpleUpdate (update: Uint8Array, fragment: string): StoredNode[] | undefined {
  try {
    return new SimpleReader(update, fragment).read()
  } catch {
    // The bytes end early or hold the unusual. Whether they are damaged or only unusual, the full reader will tell.
    return undefined
  }
}

class SimpleReader {
  readonly #bytes: ByteReader
  readonly #fragment: string
  readonly #roots = new Map<string, Sequence>()
  readonly #byClock = new Map<number, Sequence>()
  /** The sequence of the item before. */
  #last: Sequence | undefined

  constructor (update: Uint8Array, fragment: string) {
    this.#bytes = new ByteReader(update)
    this.#fragment = fragment
  }

  read (): StoredNode[] | undefined {
    const bytes = this.#bytes
    const clients = bytes.varUint()
    if (clients > 1) return undefined
    if (clients === 1) {
      const count = bytes.varUint()
      const client = bytes.varUint()
      if (bytes.varUint() !== 0) return undefined
      let clock = 0
      for (let index = 0; index < count; index++) {
        const length = this.#struct(client, clock)
        if (length === 0) return undefined
        clock += length
      }
    }
    if (bytes.varUint() !== 0 || !bytes.atEnd) return undefined
    const root = this.#roots.get(this.#fragment)
    // Where there are others, the full reader says which.
    return root === undefined && this.#roots.size > 0 ? undefined : root?.children ?? []
  }

  /** Reads one struct and returns how many clocks it takes; 0 when it is not of the simple kind. */
  #struct (client: number, clock: number): number {
    const info = this.#bytes.byte()
    // Bit 7 is the left origin, bit 6 the right one, which no appended item has, bit 5 a map's key.
    if ((info & 0x40) !== 0) return 0
    const key = (info & 0x20) !== 0
    let sequence: Sequence | undefined
    if ((info & 0x80) !== 0) {
      if (key || this.#bytes.varUint() !== client) return 0
      const origin = this.#bytes.varUint()
      // Either the item goes on where the last one was, or its left neighbour is an element, whose parent is known.
      sequence = this.#last?.tail === origin ? this.#last : this.#byClock.get(origin)?.parent
      if (sequence?.tail !== origin) return 0
    } else {
      sequence = this.#parent(client)
      if (sequence === undefined) return 0
      if (key) return this.#attribute(sequence, info & 31)
      if (sequence.tail !== -1) return 0
    }
    const length = this.#content(sequence, info & 31, clock)
    sequence.tail = clock + length - 1
    this.#last = sequence
    return length
  }

  #parent (client: number): Sequence | undefined {
    if (this.#bytes.varUint() !== 1) {
      return this.#bytes.varUint() === client ? this.#byClock.get(this.#bytes.varUint()) : undefined
    }
    const name = this.#bytes.string()
    const known = this.#roots.get(name)
    if (known !== undefined) return known
    const root: Sequence = { children: [], tail: -1, formats: noFormats }
    this.#roots.set(name, root)
    return root
  }

  #attribute (sequence: Sequence, content: number): number {
    const name = this.#bytes.string()
    const { element } = sequence
    if (content !== contentAny || element === undefined || name in element.attributes) return 0
    if (this.#bytes.varUint() !== 1) return 0
    element.attributes[name] = this.#bytes.any()
    return 1
  }

  #content (sequence: Sequence, content: number, clock: number): number {
    if (content === contentType) return sequence.text === undefined ? this.#type(sequence, clock) : 0
    const { text } = sequence
    if (text === undefined) return 0
    if (content === contentString) {
      const string = this.#bytes.string()
      text.runs.push({ text: string, formats: sequence.formats })
      return string.length
    }
    if (content !== contentFormat) return 0
    const key = this.#bytes.string()
    sequence.formats = withFormat(sequence.formats, key, JSON.parse(this.#bytes.string()))
    return 1
  }

  #type (sequence: Sequence, clock: number): number {
    const type = this.#bytes.varUint()
    if (type === typeXmlElement) {
      const element: StoredElement = { name: this.#bytes.string(), attributes: Object.create(null), children: [] }
      sequence.children.push(element)
      this.#byClock.set(clock, { element, parent: sequence, children: element.children, tail: -1, formats: noFormats })
      return 1
    }
    if (type !== typeXmlText) return 0
    const text: StoredText = { runs: [], embeds: 0 }
    sequence.children.push(text)
    this.#byClock.set(clock, { text, parent: sequence, children: [], tail: -1, formats: noFormats })
    return 1
  }
}
