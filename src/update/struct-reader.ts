import { ByteReader } from './byte-reader.ts'
import { isJson } from './json-syntax.ts'

/** The bits of a struct's first byte that hold its kind. */
export const kindBits = 0x1f

/** The kinds of structs. @see yjs/src/structs, the number of each `getRef` */
export const kinds = {
  gc: 0,
  deleted: 1,
  json: 2,
  binary: 3,
  string: 4,
  embed: 5,
  format: 6,
  type: 7,
  any: 8,
  document: 9,
  skip: 10,
} as const

/** The other bits of the first byte say what precedes the content: origin, right origin, key. */
export const flags = { origin: 0x80, rightOrigin: 0x40, parentSub: 0x20 } as const

/** The shared types that the code tells from others. @see yjs/src/structs/ContentType.js */
export const sharedTypes = { xmlElement: 3, xmlHook: 5, xmlText: 6 } as const

/** How many shared types Yjs knows. */
const sharedTypeCount = 7

/** Whether a struct of this kind can hold several clocks of content that is shown, and be split between them. */
export function isSplittable (kind: number): boolean {
  return kind === kinds.string || kind === kinds.any || kind === kinds.json
}

/**
 * lib0 reads nested values by recursion, so a few thousand levels overflow its stack. Real documents stay far below
 * 500.
 */
const maxAnyDepth = 500

/** The client of an id that is absent. */
export const noClient = -1

/**
 * Walks the structs of an update (Yjs V1) one by one. Its properties describe the struct last read, so that no objects
 * are made. Throws MalformedUpdate wherever Yjs's decoder would throw.
 */
export class StructReader extends ByteReader {
  readonly #strict: boolean
  #from = 0
  #contentFrom = 0
  #info = 0
  #kind = 0
  #length = 0
  #originClient = noClient
  #originClock = 0
  #rightClient = noClient
  #rightClock = 0
  #parentClient = noClient
  #parentClock = 0

  /** @param strict also rejects values that decode but that Yjs cannot write again */
  constructor (bytes: Uint8Array, pos = 0, strict = false) {
    super(bytes, pos)
    this.#strict = strict
  }

  /** Offset of the struct's first byte; it ends at `pos`. */
  get from (): number { return this.#from }
  /** Offset of its content. */
  get contentFrom (): number { return this.#contentFrom }
  /** Its first byte. */
  get info (): number { return this.#info }
  /** One of `kinds`. */
  get kind (): number { return this.#kind }
  /** In clocks; for a text, UTF-16 units. */
  get length (): number { return this.#length }
  get originClient (): number { return this.#originClient }
  get originClock (): number { return this.#originClock }
  get rightClient (): number { return this.#rightClient }
  get rightClock (): number { return this.#rightClock }
  get parentClient (): number { return this.#parentClient }
  get parentClock (): number { return this.#parentClock }

  /** Reads the next struct. */
  readStruct (): void {
    this.#from = this.pos
    this.#info = this.byte()
    this.#kind = this.#info & kindBits
    this.#originClient = noClient
    this.#rightClient = noClient
    this.#parentClient = noClient
    if (this.#kind === kinds.gc || this.#kind === kinds.skip) {
      if (this.#kind === kinds.skip && this.#info !== kinds.skip) this.fail('a skip has flags')
    } else {
      this.#readPlace()
    }
    this.#contentFrom = this.pos
    this.#length = this.#readContent()
  }

  /** Another reader, at the content of this struct. */
  contentReader (): StructReader {
    const reader = new StructReader(this.bytes, this.#contentFrom)
    reader.#kind = this.#kind
    return reader
  }

  /** Passes one element of a JSON or Any content; `pos` must be at its beginning. */
  skipElement (): void {
    if (this.#kind === kinds.json) this.#skipJson(true)
    else this.#skipAny(0)
  }

  /** Reads the origins or, without any, the parent and the key. */
  #readPlace (): void {
    if ((this.#info & flags.origin) !== 0) {
      this.#originClient = this.varUint()
      this.#originClock = this.varUint()
    }
    if ((this.#info & flags.rightOrigin) !== 0) {
      this.#rightClient = this.varUint()
      this.#rightClock = this.varUint()
    }
    if ((this.#info & (flags.origin | flags.rightOrigin)) !== 0) return
    if (this.varUint() === 1) {
      this.skipText()
    } else {
      this.#parentClient = this.varUint()
      this.#parentClock = this.varUint()
    }
    if ((this.#info & flags.parentSub) !== 0) this.skipText()
  }

  /** @returns the content's length in clocks */
  #readContent (): number {
    switch (this.#kind) {
      case kinds.gc:
      case kinds.deleted:
      case kinds.skip: return this.varUint()
      case kinds.string: return this.skipText()
      case kinds.json:
      case kinds.any: return this.#readList()
      case kinds.binary: this.skip(this.varUint()); return 1
      case kinds.embed: this.#skipJson(false); return 1
      case kinds.format: this.skipText(); this.#skipJson(false); return 1
      case kinds.type: this.#skipType(); return 1
      case kinds.document: this.#skipDocument(); return 1
      default: this.fail('a struct is of no known kind')
    }
  }

  #readList (): number {
    const length = this.varUint()
    for (let i = 0; i < length; i++) this.skipElement()
    return length
  }

  /** Offset of the first character of the text that was just passed. @param from offset of its length */
  #textStart (from: number): number {
    const to = this.pos
    this.seek(from)
    const start = to - this.varUint()
    this.seek(to)
    return start
  }

  #skipJson (isUndefinedAllowed: boolean): void {
    const from = this.pos
    this.skipText()
    const to = this.pos
    const start = this.#textStart(from)
    if (isJson(this.bytes, start, to, this.#strict)) return
    // Yjs writes the value undefined as this word, which is not JSON. @see yjs/src/structs/ContentJSON.js
    if (isUndefinedAllowed && isWord(this.bytes, start, to, 'undefined')) return
    this.seek(from)
    this.fail('a value is not JSON or nested too deeply')
  }

  #skipType (): void {
    const type = this.varUint()
    if (type >= sharedTypeCount) this.fail('a shared type is unknown')
    if (type === sharedTypes.xmlElement || type === sharedTypes.xmlHook) this.skipText()
  }

  /**
   * Passes a subdocument: its id and its options. An id among the options replaces the other one, and Yjs can write it
   * again only if it is a text.
   */
  #skipDocument (): void {
    this.skipText()
    if (this.byte() !== 118) this.fail('the options of a subdocument are no object')
    for (let left = this.varUint(); left > 0; left--) {
      const from = this.pos
      this.skipText()
      const isId = this.#strict && isWord(this.bytes, this.#textStart(from), this.pos, 'guid')
      if (isId && this.bytes[this.pos] !== 119) this.fail('the id of a subdocument is no text')
      this.#skipAny(1)
    }
  }

  /** Passes a value of lib0's `writeAny`. */
  #skipAny (depth: number): void {
    if (depth > maxAnyDepth) this.fail('a value is nested too deeply')
    switch (this.byte()) {
      case 127: case 126: case 121: case 120: return
      case 125: this.varInt(); return
      case 124: this.skip(4); return
      case 123: case 122: this.skip(8); return
      case 119: this.skipText(); return
      case 118: this.#skipMembers(depth, true); return
      case 117: this.#skipMembers(depth, false); return
      case 116: this.skip(this.varUint()); return
      default: this.fail('a value is of no known kind')
    }
  }

  #skipMembers (depth: number, isNamed: boolean): void {
    const count = this.varUint()
    for (let i = 0; i < count; i++) {
      if (isNamed) this.skipText()
      this.#skipAny(depth + 1)
    }
  }
}

function isWord (bytes: Uint8Array, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false
  for (let i = 0; i < word.length; i++) {
    if (bytes[from + i] !== word.charCodeAt(i)) return false
  }
  return true
}
