import { type Clocks, mergeRuns } from './merge-updates.ts'
import { type ScannedUpdate, scanUpdate } from './scan-update.ts'

/** Runs that are looked up in one step. */
const stepRuns = 4096

/**
 * The update without the clocks that are held; nearly always the update itself, as clients send only what is not held.
 * Yjs can throw on an update that contradicts what is held: it puts the rest of a struct behind what it holds, but
 * under the parent that the struct names. The rest here names the last held clock as its origin, so it can lie nowhere
 * else.
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

/** Finds out, in steps of a millisecond, whether `trimUpdate` would cut anything off. */
export function * findHeldClocks ({ runs }: ScannedUpdate, held: Clocks): Generator<void, boolean, void> {
  let seen = 0
  for (const { client, clock } of runs) {
    if (clock < (held.get(client) ?? 0)) return true
    if (++seen % stepRuns === 0) yield
  }
  return false
}
