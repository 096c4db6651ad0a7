import type { SetAside } from '../update/isolate.ts'
import type { PackedKnown } from '../update/known.ts'
import type { PackedScan } from '../update/packed-scan.ts'

/** Whose bytes are scanned. */
export type UpdateOrigin = 'client' | 'store'

/**
 * What needs a document's structure or reads many bytes, and is therefore done outside the event loop. The
 * implementation runs in worker threads (src/workers/); all of it may be slow, fail and be tried again.
 * Somebody waits for what takes a `room`: it is linear in the bytes, rooms take turns, small tasks go first, and it never
 * waits for the rest.
 */
export interface DocumentWork {
  /**
   * Checks a large update and reports what is in it.
   * @param origin what a client has sent may count no more than `clientBounds`
   * @throws MalformedUpdate
   */
  scan (update: Uint8Array, origin: UpdateOrigin, room: string): Promise<PackedScan>

  /**
   * Checks where the structs of an update would lie in a document (`inspectUpdate`).
   * @param updates all that the document consists of
   * @throws MalformedUpdate where Yjs would throw later because of them
   */
  inspect (update: Uint8Array, updates: readonly Uint8Array[], room: string): Promise<void>

  /** Which clocks of a document lie under a key: `KeyedClocks.pack`. @param updates all that the document consists of */
  keyed (updates: readonly Uint8Array[], room: string): Promise<Float64Array>

  /** Cuts off what is held of a large update (`trimUpdate`). @param stateVector what is held, encoded */
  trim (update: Uint8Array, stateVector: Uint8Array, room: string): Promise<TrimmedUpdate>

  /** State vector and delete set of what `known` says (`Known.encode`) together with further updates. */
  know (known: Uint8Array | undefined, updates: readonly Uint8Array[], room: string): Promise<PackedKnown>

  /** One state from a snapshot and the log behind it: pieces in causal order, of at most `maxPieceBytes` where they can be split. */
  compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult>

  /** As `compact`, without building the document: linear in the bytes, but keeps what was deleted. */
  merge (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult>

  /** What a reader with this state vector lacks of the updates, in pieces as above. */
  difference (updates: readonly Uint8Array[], stateVector: Uint8Array, maxPieceBytes: number, room: string): Promise<readonly Uint8Array[]>
}

export interface TrimmedUpdate {
  readonly update: Uint8Array
  readonly scan: PackedScan
}

export interface CompactResult {
  readonly pieces: readonly Uint8Array[]
  /** `Known.encode` */
  readonly known: Uint8Array
  /** Updates that Yjs cannot apply, or not all of them; their indices are those of the updates given. */
  readonly setAside: readonly SetAside[]
}
