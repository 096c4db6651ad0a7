/** Bytes that are not what they should be. The message says what is wrong and where, never the content. */
export class MalformedUpdate extends Error {
  override readonly name = 'MalformedUpdate'
  /** The end of the sentence that says what is wrong. */
  readonly reason: string
  /** Offset in bytes at which reading stopped. */
  readonly offset: number

  constructor (reason: string, offset: number) {
    super(`The update is malformed at byte ${offset}: ${reason}.`)
    this.reason = reason
    this.offset = offset
  }
}
