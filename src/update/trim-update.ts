import { type Clocks, mergeRuns } from './merge-updates.ts'
import { type ScannedUpdate, scanUpdate } from './scan-update.ts'

/** Runs looked up in one step */
const stepRuns = 4096

/**
 * The update without the clocks that are held; nearly always the update itself, as clients send only what is not held.
 * If it repeats what is held, nothing changes. If it contradicts it, Yjs can throw: it puts the rest of a struct behind
 * what it holds, but under the parent that the struct names. What remains here names the last held clock as its origin,
 * so it can lie nowhere else.
 * @param held client → the first clock not held
 */
export function trimUpdate (update: ScannedUpdate, held: Clocks): ScannedUpdate {
  if (!holdsHeldClocks(update, held)) return update
  return scanUpdate(mergeRuns([update], ({ client, end }) => end > (held.get(client) ?? 0), update.deleteSet, held))
}

function holdsHeldClocks ({ runs }: ScannedUpdate, held: Clocks): boolean {
  for (const { client, clock } of runs) if (clock < (held.get(client) ?? 0)) return true
  return false
}

/** Whether `trimUpdate` would cut anything off, looked up in steps of a millisecond. */
export function * findHeldClocks ({ runs }: ScannedUpdate, held: Clocks): Generator<void, boolean, void> {
  let seen = 0
  for (const { client, clock } of runs) {
    if (clock < (held.get(client) ?? 0)) return true
    if (++seen % stepRuns === 0) yield
  }
  return false
}
