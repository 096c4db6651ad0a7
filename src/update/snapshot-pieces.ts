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
  /** Updates, each of which needs only earlier ones. */
  readonly pieces: Uint8Array[]
  readonly known: Known
  /** Of all pieces together. */
  readonly bytes: number
  /** The updates that Yjs cannot apply, or not all of them: what it cannot apply is not in the pieces. */
  readonly setAside: readonly SetAside[]
}

/**
 * The whole state of a document, with what was deleted collected, as updates of at most `maxBytes` each in causal order; only a single value that is larger
 * makes a larger one. Structs that still wait for something missing come after the others, the delete set comes last.
 * One piece, however large, where pieces would harm: formatted text that a reader of pieces would clean up too early. What Yjs cannot apply is left out and
 * returned as `setAside`, see `isolate`.
 * For worker threads: builds the document.
 * @throws MalformedUpdate for an update that does not decode
 */
export function snapshotPieces (updates: Iterable<Uint8Array>, maxBytes: number): Snapshot {
  const { merged, state, setAside } = isolate([...updates], collect)
  const known = new Known()
  known.add(merged)
  known.add(state)
  const pieces = writePieces(state, merged, maxBytes)
  const isSafe = setAside.length === 0 ? survivesReplay(pieces, state) : canApply(pieces) && survivesReplay(pieces, state)
  const safe = isSafe ? pieces : writePieces(state, merged, Number.MAX_SAFE_INTEGER)
  return { pieces: safe, known, bytes: safe.reduce((sum, piece) => sum + piece.length, 0), setAside }
}

/** The document's state, then what of the update is not in it because it waits. */
function writePieces (state: ScannedUpdate, merged: ScannedUpdate, maxBytes: number): Uint8Array[] {
  const writer = new PieceWriter(maxBytes)
  const deleteSet = DeleteSet.union([state.deleteSet, merged.deleteSet])
  writeCausalPieces(writer, state, new Map(), deleteSet)
  writeCausalPieces(writer, merged, new Map(Array.from(state.runs, (run) => [run.client, run.end])), deleteSet)
  return writer.finish(deleteSet)
}

/** What a document makes of the update, without what it keeps pending; null when it cannot apply it. */
function collect (update: ScannedUpdate): ScannedUpdate | null {
  const state = stateOf(update)
  return state === null ? null : scanUnchecked(state)
}

/** @returns null where Yjs throws. The document is gone when its bytes are read, so that not both take memory. */
function stateOf (update: ScannedUpdate): Uint8Array | null {
  const doc = new Y.Doc()
  try {
    Y.applyUpdate(doc, update.bytes)
    // What is pending is taken from the update itself; merged into the state it would be in the way of the causal order.
    doc.store.pendingStructs = null
    doc.store.pendingDs = null
    return Y.encodeStateAsUpdate(doc)
  } catch {
    // Any failure means the same to the caller: something in it must be left out.
    return null
  } finally {
    doc.destroy()
  }
}

/** Can a reader that has nothing apply them one by one? They are made from a document that Yjs has built; where something was left out, it is tried. */
function canApply (pieces: readonly Uint8Array[]): boolean {
  const doc = new Y.Doc()
  try {
    for (const piece of pieces) Y.applyUpdate(doc, piece)
    return true
  } catch {
    // Whatever it is, one piece is the state as it was built.
    return false
  } finally {
    doc.destroy()
  }
}
