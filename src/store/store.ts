/**
 * Stores documents: for each document a snapshot (its whole state at some point, as pieces in causal order) and the log
 * of updates since. Every adapter passes the contract suite in `test/store/contract/`.
 *
 * The name of a document is any well-formed text of 1 to 255 characters without NUL, compared exactly; a RangeError
 * rejects all others. If a document is removed and created again, its numbers (sequence, generation) continue above
 * those of the old one, so that nothing read of the old document is taken for the new. Callers can keep returned bytes,
 * which never change afterwards; the store keeps no bytes of a caller after the promise settles.
 */
export interface Store {
  /**
   * Adds updates to the logs of their documents, all in one transaction; creates documents that do not exist. Entries
   * of one document get rising sequence numbers in their order, across concurrent calls too.
   * @returns one sequence number for each entry, once the data is as safe as the store was opened to make it; 0 for an
   * entry that was not stored because its document was removed (`LogEntry.after`). A rejection means that nothing was
   * stored.
   */
  append (entries: readonly LogEntry[]): Promise<readonly number[]>

  /**
   * Creates a document with its first update; does nothing if it exists.
   * @param authors as in `LogEntry`
   * @returns the sequence number of the update; undefined if the document exists. Of concurrent calls, even on several
   * nodes, exactly one gets a number
   */
  create (document: string, update: Uint8Array, authors?: readonly string[]): Promise<number | undefined>

  /**
   * Adds an update that was made for a document as its author has read it. The condition is checked in the transaction
   * that adds the update. It never creates a document.
   * @returns the update's sequence number, or why nothing was stored; a rejection means that nothing was stored
   */
  appendIf (entry: LogEntry, condition: AppendCondition): Promise<ConditionalAppend>

  /**
   * Reads the head of a document's snapshot and the log after it, as one consistent view.
   * @param since returns only log entries above this sequence number. If the snapshot already contains some of those
   * (`snapshot.upTo > since`), all entries after the snapshot are returned.
   * @returns undefined if the document does not exist
   * @throws DamagedDocument if the stored bytes are not those that were written
   */
  load (document: string, since?: number): Promise<StoredDocument | undefined>

  /**
   * Reads one piece of a snapshot.
   * @returns undefined if that generation has been replaced or removed: load again
   * @throws DamagedDocument
   */
  readPiece (document: string, generation: number, index: number): Promise<Uint8Array | undefined>

  /**
   * Replaces the snapshot, drops the log entries up to and including `upTo`, and keeps the updates that `next` sets
   * aside, in one transaction. Changes nothing unless it returns a head.
   * @returns undefined if the document's snapshot is no longer the generation `replaces`
   * @throws RangeError if `upTo` was never given out, or lies before the current snapshot
   * @throws SetAsideFull if there are updates to set aside and no room for them
   */
  compact (document: string, next: NextSnapshot): Promise<SnapshotHead | undefined>

  /**
   * Reads the updates that are set aside, in the order of their numbers; an empty list if the document does not exist.
   * @throws DamagedDocument
   */
  setAside (document: string): Promise<readonly StoredSetAside[]>

  /** Removes the updates that are set aside, damaged ones too. @returns how many it removed */
  removeSetAside (document: string): Promise<number>

  /**
   * Who has written the updates above `since`: user ids, those who wrote last first. The last 256 people of a document
   * are remembered. An empty list if the document does not exist.
   * @throws DamagedDocument
   */
  authors (document: string, since: number): Promise<readonly string[]>

  /**
   * Removes a document and everything stored with it.
   * @param deleted what was known of the document (`Known.encode`), together with what its tombstone held before. It is
   * kept as the tombstone of the name, also while the name is in use again. Without it, a tombstone stays as it was.
   * @param lastSeq removes the document only if this is its last sequence number
   * @returns whether it was removed; if not, nothing is changed
   */
  remove (document: string, deleted?: Uint8Array, lastSeq?: number): Promise<boolean>

  /**
   * Reads the tombstone of a name.
   * @returns undefined if no document of that name was removed with one
   * @throws DamagedDocument
   */
  tombstone (document: string): Promise<Tombstone | undefined>

  /**
   * Replaces the content of a tombstone: more of what was deleted has become known. The time of the deletion stays.
   * @param before the tombstone as it was read
   * @returns whether it was replaced; false: it has changed since, or was removed
   */
  replaceTombstone (document: string, before: Tombstone, deleted: Uint8Array): Promise<boolean>

  /** Removes the tombstones that were made before this time, ms since the epoch. @returns how many */
  removeTombstones (before: number): Promise<number>

  /**
   * Lists the documents whose names begin with `prefix` and come after `after`, in the order of code points (as UTF-8
   * sorts). This is not one view of the store: it can miss changes that are written meanwhile.
   */
  list (options?: ListOptions): AsyncIterable<DocumentInfo>

  /**
   * Reads the sizes and times of those of these documents that exist, each once and in the order of `list`. One lookup
   * for all of them, without their content.
   */
  info (documents: readonly string[]): Promise<readonly DocumentInfo[]>

  /** The number of documents. */
  count (): Promise<number>

  /** Resolves if the store can be read and written now; rejects with the reason if not. */
  ping (): Promise<void>

  /** Waits for pending calls, then releases all resources. */
  close (): Promise<void>
}

/** An update to append to a document's log. */
export interface LogEntry {
  readonly document: string
  /** One Yjs update, V1. */
  readonly update: Uint8Array
  /** The user ids of those whose edits it holds. Those that no store can keep are left out (`keptAuthors`). */
  readonly authors?: readonly string[]
  /**
   * Any sequence number of the document that the update belongs to; 0: it did not exist, and the name had no tombstone,
   * when the writer looked. If that document was removed since, the update is not stored: neither can it bring the
   * document back, nor is it added to one that has its name now. Without it, the update is stored in any case.
   */
  readonly after?: number
}

/** What must hold for an update to be added. */
export interface AppendCondition {
  /**
   * The last sequence number of the document when it was read. A document that was removed since and created again does
   * not count as the same: all its numbers are higher.
   */
  readonly readAt: number
  /** Whether it must still be the last one: nothing was stored since. */
  readonly isLast: boolean
}

/** What became of an update that was added under a condition. */
export type ConditionalAppend =
  | { readonly type: 'stored', readonly seq: number }
  /** The document does not exist any more. */
  | { readonly type: 'absent' }
  /** The condition does not hold. `lastSeq` is the document's last sequence number now. */
  | { readonly type: 'changed', readonly lastSeq: number }

/** An entry of a document's log. */
export interface StoredUpdate {
  /** Position in the log: an integer from 1, rising; gaps are possible. */
  readonly seq: number
  readonly update: Uint8Array
}

/** A snapshot without its pieces. */
export interface SnapshotHead {
  /** Rises with each compaction of the document, from 1. */
  readonly generation: number
  /** The last log entry that it contains. */
  readonly upTo: number
  /** The number of its pieces. */
  readonly pieces: number
  /** Bytes of all its pieces. */
  readonly bytes: number
  /** State vector and delete set of the snapshot (`Known.encode`). */
  readonly known: Uint8Array
}

/** A stored document; the pieces of its snapshot are read one by one. */
export interface StoredDocument {
  readonly snapshot: SnapshotHead | undefined
  /** Ordered by `seq`. */
  readonly log: readonly StoredUpdate[]
  /** The highest sequence number given out so far. */
  readonly lastSeq: number
  /** When an update was stored last, ms since the epoch. */
  readonly updatedAt: number
  /** All sequence numbers of removed documents of the same name are below or equal to it, its own are above. */
  readonly base: number
  /** Whether the name has a tombstone, of a document that was deleted before this one was created. */
  readonly hasTombstone: boolean
}

/** A snapshot to store. */
export interface NextSnapshot {
  /** The generation of the snapshot that this one was made from; 0: there was none. */
  readonly replaces: number
  readonly upTo: number
  readonly pieces: readonly Uint8Array[]
  readonly known: Uint8Array
  /** Updates that the snapshot leaves out because Yjs cannot apply them; they join those set aside before. */
  readonly setAside?: readonly SetAsideUpdate[]
}

/** An update that Yjs cannot apply: no longer part of its document, but kept until an operator removes it. */
export interface SetAsideUpdate {
  readonly update: Uint8Array
  /** One line for the operator, without content of the document; shortened to 500 characters. */
  readonly reason: string
}

/** A stored update that is set aside. */
export interface StoredSetAside extends SetAsideUpdate {
  /** An integer from 1, rising; gaps are possible. */
  readonly seq: number
  /** When it was set aside, ms since the epoch. */
  readonly at: number
}

/** What remains of a document that was deleted, so that nobody who still has its content can bring it back. */
export interface Tombstone {
  /** State vector and delete set of all that was deleted (`Known.encode`). */
  readonly deleted: Uint8Array
  /** When it was deleted last, ms since the epoch. */
  readonly at: number
}

/** Which documents to list. */
export interface ListOptions {
  readonly prefix?: string
  readonly after?: string
  /** The most documents to list; default: all. */
  readonly limit?: number
}

/** The sizes and times of a document. */
export interface DocumentInfo {
  readonly document: string
  readonly snapshotBytes: number
  readonly logBytes: number
  readonly logEntries: number
  readonly lastSeq: number
  /** The number of updates set aside. */
  readonly setAside: number
  /** ms since the epoch. */
  readonly createdAt: number
  /** ms since the epoch. */
  readonly updatedAt: number
}

/**
 * The stored bytes of a document are not those that were written. Permanent; `y-provider check` reports the details.
 */
export class DamagedDocument extends Error {
  override readonly name = 'DamagedDocument'
  readonly document: string

  constructor (document: string, what: string) {
    super(`Document ${JSON.stringify(document)} is damaged in the store: ${what}`)
    this.document = document
  }
}
