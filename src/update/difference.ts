import { writeCausalPieces } from './causal-pieces.ts'
import { DeleteSet } from './delete-set.ts'
import { hasFormatting } from './formatting-replay.ts'
import { mergeRuns } from './merge-updates.ts'
import { PieceWriter } from './piece-writer.ts'
import { type ClientRun, scanUpdate } from './scan-update.ts'
import { decodeStateVector } from './state-vector.ts'

/**
 * What a reader with this state vector lacks, as updates of at most `maxBytes` each (unless one value is larger), in
 * causal order: each needs only what the reader has and the updates before it. Structs that wait for a missing one come
 * after the others, the whole delete set comes last.
 * If any of the document's text is formatted, it is one update, however large: Yjs deletes formatting while pieces are
 * applied, also some that the reader holds already, and only the reader's own document could show whether these pieces
 * make it do so. @see survivesReplay
 * Without a limit of bytes it is one update, for which nothing is sorted: Yjs finds the order within an update itself.
 * Linear in the bytes of the updates. Always at least one update.
 * @param stateVector encoded; `[0]` for a reader that has nothing
 * @param maxBytes Infinity: no limit
 * @throws MalformedUpdate
 */
export function difference (updates: readonly Uint8Array[], stateVector: Uint8Array, maxBytes: number): Uint8Array[] {
  const held = decodeStateVector(stateVector)
  const scans = updates.map(scanUpdate)
  const isLacking = (run: ClientRun): boolean => run.end > (held.get(run.client) ?? 0)
  const deleteSet = DeleteSet.union(scans.map((scan) => scan.deleteSet))
  if (maxBytes === Infinity) return [mergeRuns(scans, isLacking, deleteSet, held)]
  const lacking = scanUpdate(mergeRuns(scans, isLacking, DeleteSet.empty))
  const write = (pieceBytes: number): Uint8Array[] => {
    const writer = new PieceWriter(pieceBytes)
    writeCausalPieces(writer, lacking, held, deleteSet)
    return writer.finish(deleteSet)
  }
  const pieces = write(maxBytes)
  return pieces.length > 1 && scans.some(hasFormatting) ? write(Number.MAX_SAFE_INTEGER) : pieces
}
