/** Bytes that are not what they should be. Names what is wrong and where, never the content. */
export class MalformedUpdate extends Error {
  override readonly name = 'MalformedUpdate'
  /** Offset in bytes at which reading stopped. */
  readonly offset: number

  constructor (reason: string, offset: number) {
    super(`The update is malformed at byte ${offset}: ${reason}.`)
    this.offset = offset
  }
}
