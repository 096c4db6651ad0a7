import * as Y from 'yjs'
import type { ScannedUpdate } from './scan-update.ts'
import { scanUpdate } from './scan-update.ts'
import { kinds, StructReader } from './struct-reader.ts'

/**
 * Whether a reader can apply these pieces one by one without deleting anything by itself. After each remote change Yjs
 * removes formatting that encloses nothing. While part of a text is missing, that can be formatting whose text is in a
 * later piece, and the reader would send the deletion to everybody. So the pieces are tried on a document first.
 * @param state the update that was cut into the pieces
 * @see yjs/src/types/YText.js cleanupYTextAfterTransaction
 */
export function survivesReplay (pieces: readonly Uint8Array[], state: ScannedUpdate): boolean {
  if (pieces.length < 2 || !hasFormatting(state)) return true
  const replay = new Y.Doc()
  // Yjs removes formatting only from roots that are declared as text. The bytes name the roots, but not their types.
  for (const name of rootNames(state)) replay.getText(name)
  for (const piece of pieces) Y.applyUpdate(replay, piece)
  replay.store.pendingStructs = null
  replay.store.pendingDs = null
  const survives = scanUpdate(Y.encodeStateAsUpdate(replay)).deleteSet.equals(state.deleteSet)
  replay.destroy()
  return survives
}

/** Whether the update holds formatting of text that is not collected. */
export function hasFormatting (update: ScannedUpdate): boolean {
  for (const run of update.runs) {
    const reader = new StructReader(update.bytes, run.from)
    while (reader.pos < run.to) {
      reader.readStruct()
      if (reader.kind === kinds.format) return true
    }
  }
  return false
}

/** The names of the root types that hold something. */
function rootNames (state: ScannedUpdate): string[] {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, state.bytes)
  const names = [...doc.share.keys()]
  doc.destroy()
  return names
}
