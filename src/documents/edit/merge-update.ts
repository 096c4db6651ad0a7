import { InvalidContent } from '../../convert/conversion-failure.ts'
import { DeleteSet } from '../../update/delete-set.ts'
import { inspectUpdate } from '../../update/inspect-update.ts'
import { Known } from '../../update/known.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { mergeRuns } from '../../update/merge-updates.ts'
import { scanClientUpdate, type ScannedUpdate, scanUpdate } from '../../update/scan-update.ts'
import { trimUpdate } from '../../update/trim-update.ts'
import { DamagedState } from './edit-failures.ts'

/**
 * Checks an update as one of a client's, and reduces it to what the document lacks.
 * @param state the whole document as one update, V1
 * @returns undefined if the document lacks nothing of it
 * @throws InvalidContent if it does not decode, Yjs cannot apply it, or the document lacks what it depends on
 * @throws DamagedState
 */
export function mergeUpdate (state: Uint8Array, input: Uint8Array): Uint8Array | undefined {
  return lackingOf(state, orInvalid(() => scanClientUpdate(input)))
}

/**
 * Checks an update that is to be a document of its own, or all of one.
 * @throws InvalidContent if it does not decode, Yjs cannot apply it, or it is not complete
 */
export function checkDocument (input: Uint8Array): void {
  const scan = orInvalid(() => scanUpdate(input))
  // Client updates are checked for this too.
  orInvalid(() => inspectUpdate(input, []))
  checkComplete(new Known(), scan)
}

/**
 * What a document lacks of a later state of itself.
 * @param later a complete document, see `checkDocument`
 * @returns undefined if `later` does not hold everything of the document, or nothing new
 * @throws DamagedState
 */
export function progressOf (state: Uint8Array, later: Uint8Array): Uint8Array | undefined {
  const known = new Known()
  const scan = scanUpdate(later)
  known.add(scan)
  return known.contains(scanState(state)) ? lackingOf(state, scan) : undefined
}

function lackingOf (state: Uint8Array, scan: ScannedUpdate): Uint8Array | undefined {
  const known = new Known()
  known.add(scanState(state))
  const lacking = orInvalid(() => trimUpdate(scan, known.stateVector))
  if (known.contains(lacking)) return undefined
  const deletes = without(lacking.deleteSet, known.deleteSet)
  if (lacking.needsInspection !== false || lacking.types > 0) orInvalid(() => inspectUpdate(lacking.bytes, [state]))
  checkComplete(known, lacking)
  return mergeRuns([lacking], () => true, deletes)
}

/** @param known what is there already; the update is added to it */
function checkComplete (known: Known, scan: ScannedUpdate): void {
  known.add(scan)
  const { deleteSet } = scan
  const deletesMissing = deleteSet.clients().some((client) => deleteSet.endOf(client) > known.stateVector.get(client))
  if (deletesMissing || known.missing(scan)) {
    throw new InvalidContent('The Yjs update depends on others that the document lacks')
  }
}

function scanState (state: Uint8Array): ScannedUpdate {
  try {
    return scanUpdate(state)
  } catch (cause) {
    throw new DamagedState({ cause })
  }
}

function orInvalid<T> (check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (error instanceof MalformedUpdate) throw new InvalidContent(`The Yjs update cannot be applied: ${error.reason}`)
    throw error
  }
}

/** The ranges of one set that another does not hold. */
function without (set: DeleteSet, held: DeleteSet): DeleteSet {
  const rest = new DeleteSet()
  for (const client of set.clients()) {
    const ranges = set.rangesOf(client)
    const covers = held.rangesOf(client)
    let at = 0
    for (let i = 0; i < ranges.length; i += 2) {
      let start = ranges[i]!
      const end = ranges[i + 1]!
      while (at < covers.length && covers[at + 1]! <= start) at += 2
      for (let next = at; next < covers.length && covers[next]! < end; next += 2) {
        if (covers[next]! > start) rest.addRange(client, start, covers[next]!)
        start = Math.max(start, covers[next + 1]!)
      }
      if (start < end) rest.addRange(client, start, end)
    }
  }
  return rest
}
