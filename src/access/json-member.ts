import { finalStates, states, transitions } from './json-grammar.ts'

/** Bytes of a key or of the value, with surrounding spaces: thirty times the abilities of La Suite. */
const maxHeldBytes = 64 * 1024

/** Levels of nested objects and lists. Python's own encoder stops at about 1,000. */
const maxDepth = 10_000

/**
 * Reads one member of a JSON object (UTF-8) from pieces of its text, without keeping the other members: they are
 * checked and skipped. Accepts what `JSON.parse` accepts, except nesting deeper than 10,000; the last of equal keys
 * counts.
 */
export class JsonMember {
  readonly #name: string
  #state: number = states.value
  /** For each open object or list: whether it is an object. */
  readonly #isObject: boolean[] = []
  /** The part in earlier pieces of the outermost object's key or value that is being read; undefined: it is skipped. */
  #held: Buffer[] | undefined
  #heldBytes = 0
  /** Where the text to hold begins in this piece. */
  #from = 0
  #isMember = false
  #value: unknown

  constructor (name: string) {
    this.#name = name
  }

  /** Bytes of text held now, at most 64 KiB. */
  get heldBytes (): number {
    return this.#heldBytes
  }

  /** Reads the next piece, which can end anywhere and is not kept. */
  write (piece: Buffer): void {
    let state = this.#state
    this.#from = 0
    for (let index = 0; index < piece.length && state !== states.malformed; index++) {
      // Neither index leaves its array.
      state = transitions[(state << 8) | piece[index]!]!
      if (state <= states.colon) state = this.#resolve(state, piece, index)
    }
    this.#hold(piece, piece.length)
    this.#state = state
  }

  /**
   * The member's value, once the whole text has been written. It is undefined if the text is not an object, has no such
   * member, or the value is longer than 64 KiB.
   * @throws SyntaxError if the text is malformed or truncated
   */
  value (): unknown {
    if (!finalStates.has(this.#state) || this.#isObject.length > 0) throw new SyntaxError('The text is not JSON.')
    return this.#value
  }

  /** The state after a structural character. */
  #resolve (state: number, piece: Buffer, index: number): number {
    const isInObject = this.#isObject.at(-1)
    const isOutermost = this.#isObject.length === 1 && isInObject === true
    switch (state) {
      case states.openObject:
      case states.openArray:
        if (this.#isObject.length === maxDepth) return states.malformed
        this.#isObject.push(state === states.openObject)
        if (this.#isObject.length === 1 && state === states.openObject) this.#holdFrom(index + 1)
        return state === states.openObject ? states.firstKey : states.firstElement
      case states.closeObject:
      case states.closeArray:
        if (isInObject !== (state === states.closeObject)) return states.malformed
        if (isOutermost) this.#endMember(piece, index)
        this.#isObject.pop()
        return states.afterValue
      case states.comma:
        if (isInObject === undefined) return states.malformed
        if (isOutermost) {
          this.#endMember(piece, index)
          this.#holdFrom(index + 1)
        }
        return isInObject ? states.key : states.value
      case states.colon:
        if (isOutermost) this.#endKey(piece, index)
        return states.value
      default:
        return states.malformed
    }
  }

  #endKey (piece: Buffer, index: number): void {
    this.#isMember = this.#take(piece, index) === this.#name
    if (this.#isMember) this.#holdFrom(index + 1)
  }

  #endMember (piece: Buffer, index: number): void {
    const value = this.#isMember ? this.#take(piece, index) : undefined
    if (this.#isMember) this.#value = value
    this.#isMember = false
    this.#drop()
  }

  #holdFrom (index: number): void {
    this.#held = []
    this.#heldBytes = 0
    this.#from = index
  }

  /** Holds a copy of the piece up to `end`: a view would keep the whole piece in memory. */
  #hold (piece: Buffer, end: number): void {
    if (this.#held === undefined) return
    this.#heldBytes += end - this.#from
    if (this.#heldBytes > maxHeldBytes) this.#drop()
    else this.#held.push(Buffer.from(piece.subarray(this.#from, end)))
  }

  /** Parses the held text, which the grammar has accepted; undefined if it was too long. */
  #take (piece: Buffer, end: number): unknown {
    this.#hold(piece, end)
    const text = this.#held && Buffer.concat(this.#held).toString()
    this.#drop()
    return text === undefined ? undefined : JSON.parse(text)
  }

  #drop (): void {
    this.#held = undefined
    this.#heldBytes = 0
  }
}
