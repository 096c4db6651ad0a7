import { mergeUpdates } from '../../update/merge-updates.ts'
import type { Runs, ScannedUpdate } from '../../update/scan-update.ts'
import { inPieces } from '../in-pieces.ts'

/** Updates that were merged into one. */
export interface MergedUpdate<Part> {
  readonly update: Uint8Array
  readonly runs: Runs
  readonly parts: readonly Part[]
}

/** Merges the updates of a tick into as few as fit into pieces (`pieceBytes`), in their order. */
export function mergeTick<Part> (
  parts: readonly Part[],
  updateOf: (part: Part) => ScannedUpdate
): MergedUpdate<Part>[] {
  return inPieces(parts, (part) => updateOf(part).bytes.length)
    .map((group) => ({ ...merge(group.map(updateOf)), parts: group }))
}

function merge (group: readonly ScannedUpdate[]): { readonly update: Uint8Array, readonly runs: Runs } {
  const [first] = group
  const merged = mergeUpdates(group)
  // A single update is returned unchanged: a view of a larger network buffer, which it must not keep alive.
  if (group.length === 1 && first !== undefined) return { update: new Uint8Array(merged), runs: first.runs }
  return { update: merged, runs: group.flatMap(({ runs }) => [...runs]) }
}
