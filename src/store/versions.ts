/**
 * Keeps versions: whole states of documents, each of which can be read on its own, whatever becomes of the document's
 * log and snapshot. A version is a list of chunks. A version shares the chunks that it has in common with the one
 * before it, so that a small change takes little space.
 *
 * Removing the document removes its versions. Every call rejects if the store cannot be read or written.
 */
export interface VersionStore {
  /**
   * Adds a version, as the newest of its document.
   * @returns the version; undefined if the document does not exist, was created again since, or has another newest
   * version than `after`: read `newest` again. A rejection means that nothing was stored.
   */
  add (document: string, version: NewVersion): Promise<Version | undefined>

  /** The newest version of a document with its chunks, without their bytes. @returns undefined if it has none */
  newest (document: string): Promise<ChunkedVersion | undefined>

  /** Lists the versions of a document, the newest first. */
  list (document: string, options?: VersionListOptions): Promise<readonly Version[]>

  /**
   * Reads a version with the bytes of its chunks.
   * @returns undefined if the document has no such version
   * @throws DamagedDocument if the stored bytes are not those that were written
   */
  read (document: string, id: number): Promise<StoredVersion | undefined>

  /**
   * Gives a version a name, which also makes an automatic version, or one that was made before an edit, a named one.
   * @returns the version; undefined if the document has no such version
   */
  rename (document: string, id: number, name: string): Promise<Version | undefined>

  /** Removes versions and the chunks that only they have. @returns how many of these ids it removed */
  remove (document: string, ids: readonly number[]): Promise<number>

  /** Lists the versions of all documents that are not named, the oldest first. */
  oldest (limit: number): Promise<ReadonlyArray<{ readonly document: string, readonly version: Version }>>

  /** The number of versions of a document and the bytes they take, or of all documents. */
  usage (document?: string): Promise<VersionUsage>

  /**
   * Erases a user id from the versions of all documents, and from the authors of their logs.
   * @returns how many versions had it
   */
  forget (userId: string): Promise<number>
}

/** Why a version was made: after a pause in editing, by request, or before an edit that replaces content. */
export const versionKinds = ['automatic', 'named', 'before'] as const
/** Why a version was made. */
export type VersionKind = typeof versionKinds[number]

/** What is known of a version without its content. */
export interface Version {
  /** Rises within a document, also when its name is used again: ms since the epoch, made unique. */
  readonly id: number
  readonly kind: VersionKind
  /** Only named versions have one. 1 to 255 characters, well-formed, without NUL. */
  readonly name: string | undefined
  /** ms since the epoch. */
  readonly createdAt: number
  /** The version holds every update up to this sequence number. */
  readonly sequence: number
  /** Bytes of its state, as one Yjs update. */
  readonly bytes: number
  /** The user ids of those whose edits are new since the version before; an empty text stands for anonymous people. */
  readonly users: readonly string[]
}

/** A part of a state, found again by its content in the next version. */
export interface Chunk {
  /** Of its content before compression; 16 bytes. */
  readonly hash: Uint8Array
  /** Bytes as stored. */
  readonly bytes: number
}

/** A version with its chunks, without their bytes. */
export interface ChunkedVersion extends Version {
  readonly chunks: readonly Chunk[]
}

/** A version to read. */
export interface StoredVersion extends Version {
  /** In the order of the state; whether and how they are compressed is the writer's business. */
  readonly content: readonly Uint8Array[]
}

/** A version to add. */
export interface NewVersion {
  readonly kind: VersionKind
  readonly name?: string
  readonly createdAt: number
  readonly sequence: number
  readonly bytes: number
  readonly users: readonly string[]
  /** The id of the newest version, whose chunks can be shared; 0: the document has none. */
  readonly after: number
  /** All chunks in the order of the state. Those that have no content are chunks of the version `after`. */
  readonly chunks: readonly NewChunk[]
}

/** A chunk of a version to add. */
export interface NewChunk {
  readonly hash: Uint8Array
  readonly content?: Uint8Array
}

/** Which versions to list. */
export interface VersionListOptions {
  /** Only versions with a lower id. */
  readonly before?: number
  /** The most versions to list; default: all. */
  readonly limit?: number
}

/** The space that versions take. */
export interface VersionUsage {
  readonly versions: number
  /** Bytes of their chunks, each counted once. */
  readonly bytes: number
}
