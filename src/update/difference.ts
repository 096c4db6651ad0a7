import { writeCausalPieces } from './causal-pieces.ts'
import { DeleteSet } from './delete-set.ts'
import { mergeRuns } from './merge-updates.ts'
import { PieceWriter } from './piece-writer.ts'
import { scanUpdate } from './scan-update.ts'
import { decodeStateVector } from './state-vector.ts'

/**
 * What a reader with this state vector lacks, as updates of at most `maxBytes` each (except where one value is larger), in causal order: each needs only
 * what the reader has and the ones before it. Structs that wait for something missing come after the others, the whole delete set comes last.
 * Linear in the bytes of the updates. Always at least one update.
 * @param stateVector encoded; `[0]` for a reader that has nothing
 * @throws MalformedUpdate
 */
export function difference (updates: readonly Uint8Array[], stateVector: Uint8Array, maxBytes: number): Uint8Array[] {
  const held = decodeStateVector(stateVector)
  const scans = updates.map(scanUpdate)
  const lacking = scanUpdate(mergeRuns(scans, (run) => run.end > (held.get(run.client) ?? 0), DeleteSet.empty))
  const pieces = new PieceWriter(maxBytes)
  writeCausalPieces(pieces, lacking, held)
  return pieces.finish(DeleteSet.union(scans.map((scan) => scan.deleteSet)))
}
