import { frameUpdate, type FramedUpdate } from '../../protocol/framed-update.ts'
import { mergeUpdates } from '../../update/merge-updates.ts'
import type { Runs, ScannedUpdate } from '../../update/scan-update.ts'
import { inPieces } from '../in-pieces.ts'

/** Updates that were merged into one. */
export interface MergedUpdate<Part> {
  readonly framed: FramedUpdate
  readonly runs: Runs
  readonly parts: readonly Part[]
}

/** Merges the updates of a tick into as few as fit into pieces (`pieceBytes`), in their order. */
export function mergeTick<Part> (
  parts: readonly Part[],
  updateOf: (part: Part) => ScannedUpdate
): MergedUpdate<Part>[] {
  const [first] = parts
  // Most ticks of small rooms have one update.
  if (parts.length === 1 && first !== undefined) return [single(updateOf(first), parts)]
  return inPieces(parts, (part) => updateOf(part).bytes.length).map((group) => {
    const updates = group.map(updateOf)
    const [only] = updates
    if (updates.length === 1 && only !== undefined) return single(only, group)
    const runs = updates.flatMap(({ runs }) => [...runs])
    return { framed: frameUpdate(mergeUpdates(updates)), runs, parts: group }
  })
}

const single = <Part>({ bytes, runs }: ScannedUpdate, parts: readonly Part[]): MergedUpdate<Part> => {
  return { framed: frameUpdate(bytes), runs, parts }
}
