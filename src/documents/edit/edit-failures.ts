/** No block of the document has the id at which blocks are to be inserted. */
export class BlockNotFound extends Error {
  override readonly name = 'BlockNotFound'

  constructor () {
    super('The document has no block with this id')
  }
}

/** The stored document cannot be read. */
export class DamagedState extends Error {
  override readonly name = 'DamagedState'

  constructor (options?: ErrorOptions) {
    super('The stored document does not decode, or Yjs cannot apply it', options)
  }
}
