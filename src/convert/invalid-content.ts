/** The input is not what its media type says, or goes beyond what a document may be. Answered with 400 `Invalid content`. */
export class InvalidContent extends Error {
  override readonly name = 'InvalidContent'
  readonly code = 'INVALID_CONTENT'
}
