import { type Clocks, mergeRuns } from './merge-updates.ts'
import { type ClientRun, type ScannedUpdate, scanUpdate } from './scan-update.ts'

/**
 * The update without the clocks that are held, where one of its runs begins among them and ends beyond; else the update itself, which is what it nearly always
 * is. The result of applying it is the same if it repeats what is held. If it contradicts it, Yjs can throw: it would put the rest of a struct behind what is
 * held and under the parent that the struct names. What remains here names what is held as its origin, so it can lie nowhere else.
 * @param held client → the first clock not held
 */
export function trimUpdate (update: ScannedUpdate, held: Clocks): ScannedUpdate {
  for (const run of update.runs) if (straddles(run, held)) return withoutHeld(update, held)
  return update
}

function withoutHeld (update: ScannedUpdate, held: Clocks): ScannedUpdate {
  return scanUpdate(mergeRuns([update], (run) => run.end > (held.get(run.client) ?? 0), update.deleteSet, held))
}

function straddles ({ client, clock, end }: ClientRun, held: Clocks): boolean {
  const first = held.get(client)
  return first !== undefined && clock < first && end > first
}
