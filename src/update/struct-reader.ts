import { ByteReader } from './byte-reader.ts'
import { isJson } from './json-syntax.ts'

/** The lower five bits of a struct's first byte say what it is. @see yjs/src/structs, the number of each `getRef` */
export const kinds = { gc: 0, deleted: 1, json: 2, binary: 3, string: 4, embed: 5, format: 6, type: 7, any: 8, document: 9, skip: 10 } as const

/** The upper three say what precedes the content. */
export const flags = { origin: 0x80, rightOrigin: 0x40, parentSub: 0x20 } as const

/** May a struct of this kind hold several clocks of content that is shown, and be split between them? */
export function isSplittable (kind: number): boolean {
  return kind === kinds.string || kind === kinds.any || kind === kinds.json
}

/** lib0 reads nested values by recursion, so a few thousand levels overflow its stack; 500 is far from that, and farther from any real document. */
const maxAnyDepth = 500

/** Yjs knows seven shared types; those two carry a name. @see yjs/src/structs/ContentType.js */
const typeCount = 7
const xmlElement = 3
const xmlHook = 5

/** Stands for "no client" where an id is absent. */
export const noClient = -1

/**
 * Walks the structs of an update (Yjs V1) one by one and reports each in its own fields, without making objects.
 * Strict: throws MalformedUpdate wherever Yjs's decoder would throw.
 */
export class StructReader extends ByteReader {
  /** Rejects values too that decode but that Yjs cannot write again. */
  readonly strict: boolean
  /** Offset of the struct's first byte; it ends at `pos`. */
  from = 0
  /** Offset of its content. */
  contentFrom = 0
  info = 0
  kind = 0
  /** In clocks; for a text, UTF-16 units. */
  length = 0
  originClient = noClient
  originClock = 0
  rightClient = noClient
  rightClock = 0
  parentClient = noClient
  parentClock = 0

  constructor (bytes: Uint8Array, pos = 0, strict = false) {
    super(bytes, pos)
    this.strict = strict
  }

  readStruct (): void {
    this.from = this.pos
    this.info = this.byte()
    this.kind = this.info & 0x1f
    this.originClient = noClient
    this.rightClient = noClient
    this.parentClient = noClient
    if (this.kind === kinds.gc || this.kind === kinds.skip) {
      if (this.kind === kinds.skip && this.info !== kinds.skip) this.fail('a skip has flags')
    } else {
      this.readNeighbours()
    }
    this.contentFrom = this.pos
    this.length = this.readContent()
  }

  readNeighbours (): void {
    if ((this.info & flags.origin) !== 0) {
      this.originClient = this.varUint()
      this.originClock = this.varUint()
    }
    if ((this.info & flags.rightOrigin) !== 0) {
      this.rightClient = this.varUint()
      this.rightClock = this.varUint()
    }
    if ((this.info & (flags.origin | flags.rightOrigin)) !== 0) return
    if (this.varUint() === 1) {
      this.text()
    } else {
      this.parentClient = this.varUint()
      this.parentClock = this.varUint()
    }
    if ((this.info & flags.parentSub) !== 0) this.text()
  }

  /** @returns the content's length in clocks */
  readContent (): number {
    switch (this.kind) {
      case kinds.gc:
      case kinds.deleted:
      case kinds.skip: return this.varUint()
      case kinds.string: return this.text()
      case kinds.json:
      case kinds.any: return this.readList()
      case kinds.binary: this.skip(this.varUint()); return 1
      case kinds.embed: this.skipJson(false); return 1
      case kinds.format: this.text(); this.skipJson(false); return 1
      case kinds.type: this.skipType(); return 1
      case kinds.document: this.skipDocument(); return 1
      default: this.fail('a struct is of no known kind')
    }
  }

  readList (): number {
    const length = this.varUint()
    for (let i = 0; i < length; i++) this.skipElement()
    return length
  }

  /** Passes one element of a JSON or Any content; `pos` must be at its beginning. */
  skipElement (): void {
    if (this.kind === kinds.json) this.skipJson(true)
    else this.skipAny(0)
  }

  /** Where the characters begin of the text that was just passed. @param from offset of its length */
  textStart (from: number): number {
    const to = this.pos
    this.pos = from
    const start = to - this.varUint()
    this.pos = to
    return start
  }

  skipJson (undefinedAllowed: boolean): void {
    const from = this.pos
    this.text()
    const to = this.pos
    const start = this.textStart(from)
    if (isJson(this.bytes, start, to, this.strict)) return
    // Yjs writes the value undefined as this word, which is not JSON. @see yjs/src/structs/ContentJSON.js
    if (undefinedAllowed && isWord(this.bytes, start, to, 'undefined')) return
    this.pos = from
    this.fail('a value is not JSON or nested too deeply')
  }

  skipType (): void {
    const type = this.varUint()
    if (type >= typeCount) this.fail('a shared type is unknown')
    if (type === xmlElement || type === xmlHook) this.text()
  }

  /**
   * Yjs makes the subdocument from its id with the options spread over it, and always writes an object. An id among the options replaces the other one; Yjs
   * cannot write it again unless it is a text.
   */
  skipDocument (): void {
    this.text()
    if (this.byte() !== 118) this.fail('the options of a subdocument are no object')
    for (let left = this.varUint(); left > 0; left--) {
      const from = this.pos
      this.text()
      if (this.strict && isWord(this.bytes, this.textStart(from), this.pos, 'guid') && this.bytes[this.pos] !== 119) this.fail('the id of a subdocument is no text')
      this.skipAny(1)
    }
  }

  /** Passes a value of lib0's `writeAny`. */
  skipAny (depth: number): void {
    if (depth > maxAnyDepth) this.fail('a value is nested too deeply')
    switch (this.byte()) {
      case 127: case 126: case 121: case 120: return
      case 125: this.skipVarInt(); return
      case 124: this.skip(4); return
      case 123: case 122: this.skip(8); return
      case 119: this.text(); return
      case 118: this.skipAnyMembers(depth, true); return
      case 117: this.skipAnyMembers(depth, false); return
      case 116: this.skip(this.varUint()); return
      default: this.fail('a value is of no known kind')
    }
  }

  skipAnyMembers (depth: number, named: boolean): void {
    const count = this.varUint()
    for (let i = 0; i < count; i++) {
      if (named) this.text()
      this.skipAny(depth + 1)
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
