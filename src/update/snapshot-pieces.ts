import * as Y from 'yjs'
import { writeCausalPieces } from './causal-pieces.ts'
import { DeleteSet } from './delete-set.ts'
import { survivesReplay } from './formatting-replay.ts'
import { isolate, type SetAside } from './isolate.ts'
import { Known } from './known.ts'
import { PieceWriter } from './piece-writer.ts'
import { type ScannedUpdate, scanUnchecked } from './scan-update.ts'

/** A document's whole state. */
export interface Snapshot {
  /** Updates, each of which needs only the ones before it. */
  readonly pieces: Uint8Array[]
  readonly known: Known
  /** Bytes of all pieces together. */
  readonly bytes: number
  /** The updates that Yjs cannot apply, or only in part. The pieces hold what it can apply. */
  readonly setAside: readonly SetAside[]
}

/**
 * The whole state of a document, with deleted content collected, as updates of at most `maxBytes` each (unless one
 * value is larger), in causal order. Structs that wait for a missing one come after the others, the delete set comes
 * last. It is one piece, however large, if pieces would do harm: a reader of pieces could remove formatting too early.
 * What Yjs cannot apply is left out and returned as `setAside`, see `isolate`. Builds the document, so it runs in
 * worker threads only.
 * @throws MalformedUpdate for an update that does not decode
 */
export function snapshotPieces (updates: Iterable<Uint8Array>, maxBytes: number): Snapshot {
  const { merged, state, setAside } = isolate([...updates], collect)
  const known = new Known()
  known.add(merged)
  known.add(state)
  const pieces = writePieces(state, merged, maxBytes)
  const isSafe = (setAside.length === 0 || canApply(pieces)) && survivesReplay(pieces, state)
  const safe = isSafe ? pieces : writePieces(state, merged, Number.MAX_SAFE_INTEGER)
  return { pieces: safe, known, bytes: safe.reduce((sum, piece) => sum + piece.length, 0), setAside }
}

/** Writes the document's state, then the structs of the update that are not in it because they wait. */
function writePieces (state: ScannedUpdate, merged: ScannedUpdate, maxBytes: number): Uint8Array[] {
  const writer = new PieceWriter(maxBytes)
  const deleteSet = DeleteSet.union([state.deleteSet, merged.deleteSet])
  const held = new Map(Array.from(state.runs, (run) => [run.client, run.end]))
  writeCausalPieces(writer, state, new Map(), deleteSet)
  writeCausalPieces(writer, merged, held, deleteSet)
  return writer.finish(deleteSet)
}

/** The state of a document with the update, without what stays pending; null if Yjs cannot apply it. */
function collect (update: ScannedUpdate): ScannedUpdate | null {
  const state = stateOf(update)
  return state === null ? null : scanUnchecked(state)
}

/** As `collect`, encoded. The document is freed before its bytes are scanned, so that not both take memory. */
function stateOf (update: ScannedUpdate): Uint8Array | null {
  const doc = new Y.Doc()
  try {
    Y.applyUpdate(doc, update.bytes)
    // Pending structs are taken from the update itself: merged into the state they would disturb the causal order.
    doc.store.pendingStructs = null
    doc.store.pendingDs = null
    return Y.encodeStateAsUpdate(doc)
  } catch {
    // After any error something in the update must be left out.
    return null
  } finally {
    doc.destroy()
  }
}

/** Whether a reader that has nothing can apply the pieces one by one. */
function canApply (pieces: readonly Uint8Array[]): boolean {
  const doc = new Y.Doc()
  try {
    for (const piece of pieces) Y.applyUpdate(doc, piece)
    return true
  } catch {
    // After any error the state is sent in one piece, as Yjs built it.
    return false
  } finally {
    doc.destroy()
  }
}
