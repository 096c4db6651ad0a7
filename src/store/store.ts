/**
 * Where documents rest: for each document a snapshot (its whole state at some point, as pieces in causal order)
 * and the log of updates since. Every adapter passes the contract suite in `test/store/contract.ts`.
 *
 * Names of documents are any well-formed text of 1 to 255 characters without NUL, compared exactly (a RangeError for
 * others). Numbers (sequence, generation) of a document that is removed and comes into being again go on above those of
 * the old one, so that nothing that was read of the old one is taken for the new. All bytes handed out
 * may be kept by the caller and are never changed afterwards; bytes handed in are not kept after the promise settles.
 */
export interface Store {
  /**
   * Adds updates to the logs of their documents (which come into being by it), all in one transaction. Entries of one
   * document get rising sequence numbers in the order given, across calls too: a call may be made before the last one
   * has settled. Resolves, with one sequence number per entry, once the data is as safe as the store was opened to
   * make it. Rejects with nothing stored.
   */
  append (entries: readonly LogEntry[]): Promise<readonly number[]>

  /**
   * Stores the first update of a document, or nothing at all where the document exists.
   * Concurrent calls (from other nodes too): exactly one gets `true`.
   */
  create (document: string, update: Uint8Array): Promise<boolean>

  /**
   * Reads what is stored of a document: the head of its snapshot and the log behind it, as one consistent view.
   * With `since`, the log entries whose sequence number is above it; where a snapshot has swallowed some of those, all
   * entries behind the snapshot (the reader sees it by `snapshot.upTo > since`).
   * @returns undefined for a document that does not exist
   * @throws DamagedDocument where the bytes are there but not what was written
   */
  load (document: string, since?: number): Promise<StoredDocument | undefined>

  /**
   * Reads one piece of a snapshot.
   * @returns undefined where that generation is no more (compacted away or removed): load again
   * @throws DamagedDocument
   */
  readPiece (document: string, generation: number, index: number): Promise<Uint8Array | undefined>

  /**
   * Replaces the snapshot, drops the log entries up to and with `upTo`, and keeps what `next` sets aside, in one
   * transaction.
   * @returns undefined, with nothing changed, where the document's snapshot is no longer the generation `replaces`
   * @throws RangeError where `upTo` is a number that was not given out, or one before the present snapshot's
   * @throws SetAsideFull, with nothing changed, where there is something to set aside and no room for it
   */
  compact (document: string, next: NextSnapshot): Promise<SnapshotHead | undefined>

  /**
   * Reads the updates that compactions have set aside and nobody has removed since, in the order of their numbers; an
   * empty list for a document that does not exist.
   * @throws DamagedDocument
   */
  setAside (document: string): Promise<readonly StoredSetAside[]>

  /** Removes the updates that are set aside, damaged ones too. @returns how many there were */
  removeSetAside (document: string): Promise<number>

  /** Removes a document with everything that is stored of it. @returns whether there was one */
  remove (document: string): Promise<boolean>

  /**
   * All documents in the order of their names (code points, as UTF-8 sorts), from behind `after`, those that begin with
   * `prefix`. Not one view of the store: what is written meanwhile may or may not be told.
   */
  list (options?: ListOptions): AsyncIterable<DocumentInfo>

  /** How many documents there are. */
  count (): Promise<number>

  /** Resolves when the store can be read and written now; rejects with the reason. */
  ping (): Promise<void>

  /** Waits for what has been handed in, then lets go of all resources. */
  close (): Promise<void>
}

export interface LogEntry {
  readonly document: string
  /** One Yjs update, V1 */
  readonly update: Uint8Array
}

export interface StoredUpdate {
  /** Position in the document's log: whole, from 1, rising; gaps are possible */
  readonly seq: number
  readonly update: Uint8Array
}

export interface SnapshotHead {
  /** Rises with each compaction of the document, from 1 */
  readonly generation: number
  /** The last log entry it holds */
  readonly upTo: number
  /** How many pieces it has */
  readonly pieces: number
  /** Bytes of all its pieces together */
  readonly bytes: number
  /** State vector and delete set of the snapshot (`Known.encode`) */
  readonly known: Uint8Array
}

export interface StoredDocument {
  readonly snapshot: SnapshotHead | undefined
  /** Ordered by seq */
  readonly log: readonly StoredUpdate[]
  /** The highest sequence number given out so far */
  readonly lastSeq: number
}

export interface NextSnapshot {
  /** Generation of the snapshot that this one was made from; 0 = there was none */
  readonly replaces: number
  readonly upTo: number
  readonly pieces: readonly Uint8Array[]
  readonly known: Uint8Array
  /** What the snapshot leaves out because Yjs cannot apply it; added to what earlier compactions have set aside */
  readonly setAside?: readonly SetAsideUpdate[]
}

/** An update that Yjs cannot apply. It is no longer part of its document, and stays beside it until an operator removes it. */
export interface SetAsideUpdate {
  readonly update: Uint8Array
  /** One line for the operator, without content of the document; kept as far as `MAX_REASON_CHARACTERS` */
  readonly reason: string
}

export interface StoredSetAside extends SetAsideUpdate {
  /** Whole, from 1, rising; gaps are possible */
  readonly seq: number
  /** When it was set aside, ms since the epoch */
  readonly at: number
}

export interface ListOptions {
  readonly prefix?: string
  readonly after?: string
}

export interface DocumentInfo {
  readonly document: string
  /** Bytes of the snapshot and of the log behind it */
  readonly snapshotBytes: number
  readonly logBytes: number
  readonly logEntries: number
  readonly lastSeq: number
  /** How many updates are set aside */
  readonly setAside: number
  /** ms since the epoch */
  readonly createdAt: number
  readonly updatedAt: number
}

/** What is stored of a document is not what was written. Permanent: nothing overwrites it; `y-provider check` tells more. */
export class DamagedDocument extends Error {
  override readonly name = 'DamagedDocument'
  readonly document: string

  constructor (document: string, what: string) {
    super(`Document ${JSON.stringify(document)} is damaged in the store: ${what}`)
    this.document = document
  }
}
