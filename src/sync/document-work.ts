import type { SetAside } from '../update/isolate.ts'
import type { PackedKnown } from '../update/known.ts'
import type { PackedScan } from '../update/packed-scan.ts'

/** Where scanned bytes come from. */
export type UpdateOrigin = 'client' | 'store'

/**
 * Work that needs a document's structure or reads many bytes, and is therefore done outside the event loop: in worker
 * threads (src/workers/). All of it can be slow, fail and be retried. People wait for the methods that take a `room`:
 * these are linear in the bytes, rooms take turns, small tasks go first, and none waits for the other methods.
 */
export interface DocumentWork {
  /**
   * Checks a large update and reports what is in it.
   * @param origin an update of a client must not exceed `clientBounds`
   * @throws MalformedUpdate
   */
  scan (update: Uint8Array, origin: UpdateOrigin, room: string): Promise<PackedScan>

  /**
   * Checks where the structs of an update would lie in a document (`inspectUpdate`).
   * @param updates the whole document
   * @throws MalformedUpdate if Yjs would throw because of them
   */
  inspect (update: Uint8Array, updates: readonly Uint8Array[], room: string): Promise<void>

  /** Finds the clocks of a document that lie under a key: `KeyedClocks.pack`. @param updates the whole document */
  keyed (updates: readonly Uint8Array[], room: string): Promise<Float64Array>

  /** Removes the known part of a large update (`trimUpdate`). @param stateVector encoded, of what is known */
  trim (update: Uint8Array, stateVector: Uint8Array, room: string): Promise<TrimmedUpdate>

  /** State vector and delete set of `known` (`Known.encode`) together with further updates. */
  know (known: Uint8Array | undefined, updates: readonly Uint8Array[], room: string): Promise<PackedKnown>

  /**
   * State vector and delete set of several states and updates together, encoded (`uniteKnown`).
   * @param states from `Known.encode` or `Known.pack`
   */
  unite (
    states: ReadonlyArray<Uint8Array | PackedKnown>,
    updates: readonly Uint8Array[],
    room: string
  ): Promise<Uint8Array>

  /**
   * Builds one state from a snapshot and the log after it: pieces in causal order, each of at most `maxPieceBytes` if
   * it can be split.
   */
  compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult>

  /** The same without building the document: linear in the bytes, but deleted content stays. */
  merge (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult>

  /**
   * Computes what a reader with this state vector lacks of the updates, in such pieces.
   * @param signal ends the work when its result is no longer wanted; the promise rejects with the signal's reason
   */
  difference (
    updates: readonly Uint8Array[],
    stateVector: Uint8Array,
    maxPieceBytes: number,
    room: string,
    signal?: AbortSignal
  ): Promise<readonly Uint8Array[]>
}

/** The unknown part of an update. */
export interface TrimmedUpdate {
  readonly update: Uint8Array
  readonly scan: PackedScan
}

/** A document that was rewritten. */
export interface CompactResult {
  readonly pieces: readonly Uint8Array[]
  /** `Known.encode` */
  readonly known: Uint8Array
  /** Updates that Yjs cannot apply, or only in part; an index counts the given updates */
  readonly setAside: readonly SetAside[]
}
