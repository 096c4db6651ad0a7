import type { CompactResult, DocumentWork, ScanResult } from '../sync/document-work.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import type { DocumentTask } from './document-tasks.ts'
import { pack } from './packed-updates.ts'
import type { Pool } from './pool.ts'

/** Checking a frame of the largest size takes a fraction of a second; a minute means that something is wrong. */
const scanDeadlineMs = 60_000
/** Rewriting a document of hundreds of MB takes a minute or two. */
const documentDeadlineMs = 600_000

/** The work on documents, done by a pool whose module is `document-tasks.ts`. */
export function documentWorkOf (pool: Pool): DocumentWork {
  const run = async <Result>(task: DocumentTask, deadlineMs: number, transfer: ArrayBuffer[]): Promise<Result> => {
    try {
      return await pool.run<Result>(task, { deadlineMs, transfer })
    } catch (error) {
      throw revived(error)
    }
  }
  const onUpdates = <Result>(updates: readonly Uint8Array[], make: (packed: Uint8Array) => DocumentTask): Promise<Result> => {
    const packed = pack(updates)
    return run<Result>(make(packed), documentDeadlineMs, [packed.buffer])
  }
  return {
    scan: (update) => {
      const copy = new Uint8Array(update)
      return run<ScanResult>({ type: 'scan', update: copy }, scanDeadlineMs, [copy.buffer])
    },
    know: (known, updates) => onUpdates<Uint8Array>(updates, (packed) => ({ type: 'know', known, updates: packed })),
    compact: (updates, maxPieceBytes) => onUpdates<CompactResult>(updates, (packed) => ({ type: 'compact', updates: packed, maxPieceBytes })),
    difference: (updates, stateVector, maxPieceBytes) => onUpdates<readonly Uint8Array[]>(updates, (packed) => ({ type: 'difference', updates: packed, stateVector, maxPieceBytes })),
  }
}

/** A thread border leaves of an error its name and message, but not its class. */
function revived (error: unknown): unknown {
  if (error instanceof Error && error.name === 'MalformedUpdate' && !(error instanceof MalformedUpdate)) {
    return Object.setPrototypeOf(error, MalformedUpdate.prototype)
  }
  return error
}
