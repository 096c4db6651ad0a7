/**
 * Remembers which documents have changed since a follower has dealt with them. The mark is as safe as the update that
 * causes it: a crash loses neither. An append to a document that is marked already costs no write more.
 */
export interface ChangeStore {
  /**
   * Lists documents with updates that the follower has not settled, in any order. A document that changes meanwhile can
   * be missing; the next call has it.
   * @param options `after`: the cursor of a call before, which continues it; `limit`: default 1000
   */
  unsettled (follower: Follower, options?: { readonly after?: string, readonly limit?: number }): Promise<ChangePage>

  /**
   * Says that a follower has dealt with the updates of a document up to a sequence number. Later ones stay unsettled.
   * Does nothing if the document does not exist.
   */
  settle (follower: Follower, document: string, sequence: number): Promise<void>
}

/** Who follows the changes of documents, each with a place of its own. */
export const followers = ['versions', 'events'] as const
/** Who follows the changes of documents. */
export type Follower = typeof followers[number]

/** A page of documents that have changed. */
export interface ChangePage {
  readonly documents: readonly ChangedDocument[]
  /** For the next page; undefined: there is none. */
  readonly next: string | undefined
}

/** A document with updates that a follower has not settled. */
export interface ChangedDocument {
  readonly document: string
  readonly lastSeq: number
  /** When an update was stored last, ms since the epoch. */
  readonly updatedAt: number
  /** When the first update was stored that is not settled, ms since the epoch; up to a minute later. */
  readonly since: number
  /** The sequence number that was settled last; 0: none. */
  readonly settled: number
}
