import { finalStates, states, transitions } from './json-grammar.ts'

/** Bytes of a key or of the value, with the blanks around it: thirty times what the abilities of La Suite take. */
const maxHeldBytes = 64 * 1024

/** Objects and lists inside each other. Python's own encoder stops at about 1,000. */
const maxDepth = 10_000

/**
 * Reads one member of the object that a JSON text (UTF-8) is, piece by piece, and keeps nothing of the other members:
 * they are checked and skipped. Accepts what `JSON.parse` accepts, except for a nesting deeper than 10,000; of equal
 * keys the last counts.
 */
export class JsonMember {
  readonly #name: string
  #state: number = states.value
  /** For each object or list that is open: whether it is an object. */
  readonly #isObject: boolean[] = []
  /** The key or value of the outermost object that is being read, as far as earlier pieces hold it; undefined: skipped. */
  #held: Buffer[] | undefined
  #heldBytes = 0
  /** Where in this piece the text begins that is to be held. */
  #from = 0
  #isMember = false
  #value: unknown

  constructor (name: string) {
    this.#name = name
  }

  /** Bytes of the text held at the moment, at most 64 KiB. */
  get heldBytes (): number {
    return this.#heldBytes
  }

  /** Reads on; the piece may end anywhere and is not kept. */
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
   * member, or has a value longer than 64 KiB there.
   * @throws SyntaxError if the text is malformed or truncated
   */
  value (): unknown {
    if (!finalStates.has(this.#state) || this.#isObject.length > 0) throw new SyntaxError('The text is not JSON.')
    return this.#value
  }

  /** The state behind a structural character. */
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

  /** Holds a copy of the piece up to `end`: a part of it would keep the whole in memory. */
  #hold (piece: Buffer, end: number): void {
    if (this.#held === undefined) return
    this.#heldBytes += end - this.#from
    if (this.#heldBytes > maxHeldBytes) this.#drop()
    else this.#held.push(Buffer.from(piece.subarray(this.#from, end)))
  }

  /** Parses what is held, which the grammar has accepted; undefined where it was too long. */
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
