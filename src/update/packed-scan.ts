import { DeleteSet } from './delete-set.ts'
import type { ClientRun, Runs, ScannedUpdate } from './scan-update.ts'

/** Numbers for one run: client, clock, end, structs, from, to. */
const runNumbers = 6
/** Up to this many runs are unpacked into an array, so that code that reads few runs meets only arrays. */
const fewRuns = 16

/** The result of a scan in a form that can be handed to another thread without being copied or read there. */
export interface PackedScan extends Omit<ScannedUpdate, 'bytes' | 'runs' | 'needs' | 'deleteSet'> {
  /** Six numbers for a run, in the order of `ClientRun`. */
  readonly runs: Float64Array<ArrayBuffer>
  /** Client, clock, client, … by descending client. */
  readonly needs: Float64Array<ArrayBuffer>
  /** From `DeleteSet.pack`. */
  readonly deletes: Float64Array<ArrayBuffer>
}

/** Packs the result of a scan for another thread. */
export function packScan (scan: ScannedUpdate): PackedScan {
  const { deletesNothing, deletesFrom, deletesByStructs, needsInspection, types, parts } = scan
  const runs = new Float64Array(scan.runs.length * runNumbers)
  let at = 0
  for (const { client, clock, end, structs, from, to } of scan.runs) {
    runs.set([client, clock, end, structs, from, to], at)
    at += runNumbers
  }
  const needs = Float64Array.from([...scan.needs].sort(([a], [b]) => b - a).flat())
  const deletes = scan.deleteSet.pack()
  return { deletesNothing, deletesFrom, deletesByStructs, needsInspection, types, parts, runs, needs, deletes }
}

/** Unpacks the result of a scan, and takes its buffers over. @param bytes the update that was scanned */
export function unpackScan ({ runs, needs, deletes, ...rest }: PackedScan, bytes: Uint8Array): ScannedUpdate {
  const packed = new PackedRuns(runs)
  return {
    ...rest,
    bytes,
    runs: packed.length > fewRuns ? packed : [...packed],
    needs: { [Symbol.iterator]: () => pairsOf(needs) },
    deleteSet: DeleteSet.unpack(deletes),
  }
}

/** The buffers to hand over with the packed scan. */
export function buffersOf ({ runs, needs, deletes }: PackedScan): ArrayBuffer[] {
  return [runs.buffer, needs.buffer, deletes.buffer]
}

/** Makes the object of a run when it is read. */
class PackedRuns implements Runs {
  readonly length: number
  readonly #numbers: Float64Array

  constructor (numbers: Float64Array) {
    this.length = numbers.length / runNumbers
    this.#numbers = numbers
  }

  * [Symbol.iterator] (): Generator<ClientRun> {
    const numbers = this.#numbers
    for (let i = 0; i < numbers.length; i += runNumbers) {
      yield {
        client: numbers[i]!,
        clock: numbers[i + 1]!,
        end: numbers[i + 2]!,
        structs: numbers[i + 3]!,
        from: numbers[i + 4]!,
        to: numbers[i + 5]!,
      }
    }
  }
}

function * pairsOf (numbers: Float64Array): Generator<[client: number, clock: number]> {
  for (let i = 0; i < numbers.length; i += 2) yield [numbers[i]!, numbers[i + 1]!]
}
