import type { DroppedItem } from '../convert/dropped.ts'

/**
 * Why a document cannot be read or written:
 * - `name`: no store can keep its name
 * - `damaged`: its stored bytes are damaged
 * - `unavailable`: the store cannot be reached
 * - `busy`: too many documents wait, or the document changes all the time
 * - `deadline`, `memory`: it takes too long, or more memory than a thread has
 * - `absent`, `deleted`: there is none of this name, or none any more
 * - `exists`: there is one of this name (`DocumentConflict`)
 * - `changed`: it is not as it was when it was read (`DocumentConflict`)
 * - `lossy`: it cannot hold all of the content (`LossyContent`)
 * - `full`: it would exceed a limit of documents
 * - `stale`: the update belongs to a document of this name that was deleted
 * - `cancelled`: it is no longer wanted
 */
export type DocumentFailureReason =
  | 'name' | 'damaged' | 'unavailable' | 'busy' | 'deadline' | 'memory'
  | 'absent' | 'deleted' | 'exists' | 'changed' | 'lossy' | 'full' | 'stale' | 'cancelled'

/** A document cannot be read or written. `cause` is the error behind it, if there is one. */
export class DocumentFailure extends Error {
  override readonly name: string = 'DocumentFailure'
  readonly reason: DocumentFailureReason

  constructor (reason: DocumentFailureReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

const conflicts = { changed: 'The document has changed since it was read', exists: 'There is a document of this name' }

/** A write was made for another state of the document than the present one, or for a name that none has yet. */
export class DocumentConflict extends DocumentFailure {
  override readonly name = 'DocumentConflict'
  /** The document's present sequence; undefined: it is not known */
  readonly sequence: number | undefined

  constructor (reason: keyof typeof conflicts, sequence: number | undefined) {
    super(reason, conflicts[reason])
    this.sequence = sequence
  }
}

/** A write has content that the document cannot hold, and must not lose any. */
export class LossyContent extends DocumentFailure {
  override readonly name = 'LossyContent'
  readonly dropped: readonly DroppedItem[]

  constructor (dropped: readonly DroppedItem[]) {
    super('lossy', 'The document cannot hold all of the content')
    this.dropped = dropped
  }
}
