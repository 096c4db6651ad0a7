/**
 * Why a document cannot be read: no store can keep its name; its stored bytes are damaged; the store cannot be reached;
 * too many documents wait; it takes too long, or more memory than a thread has; it is no longer wanted.
 */
export type DocumentFailureReason = 'name' | 'damaged' | 'unavailable' | 'busy' | 'deadline' | 'memory' | 'cancelled'

/** A document cannot be read. `cause` is the error. */
export class DocumentFailure extends Error {
  override readonly name = 'DocumentFailure'
  readonly reason: DocumentFailureReason

  constructor (reason: DocumentFailureReason, message: string, options: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
