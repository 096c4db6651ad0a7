import { ByteWriter } from './byte-writer.ts'
import { DeleteSet } from './delete-set.ts'
import { PieceWriter } from './piece-writer.ts'
import { overlapsRange } from './places.ts'
import { type ScannedUpdate, scanUnchecked } from './scan-update.ts'
import { kinds, StructReader } from './struct-reader.ts'

type UseStruct = (reader: StructReader, client: number, clock: number) => void

/** The update without its empty structs and without the structs that hold any of these clocks. */
export function withoutClocks (update: ScannedUpdate, clocks: DeleteSet): ScannedUpdate {
  const writer = writeOnePiece()
  forEachStruct(update, (reader, client, clock) => {
    const isWanted = reader.length > 0 && !overlapsRange(clocks.rangesOf(client), clock, clock + reader.length)
    if (isWanted) addStruct(writer, reader, client, clock)
  })
  return finish(writer, update.deleteSet)
}

/**
 * Divides an update into two halves of its structs, and its deletions. An update that cannot be divided is the only
 * part.
 */
export function halves (update: ScannedUpdate): readonly ScannedUpdate[] {
  const structs = Array.from(update.runs).reduce((sum, run) => sum + run.structs, 0)
  if (structs < 2 && (structs === 0 || update.deletesNothing)) return [update]
  const writers = structs < 2 ? [writeOnePiece()] : [writeOnePiece(), writeOnePiece()]
  let index = 0
  forEachStruct(update, (reader, client, clock) => {
    const half = Math.floor(index++ * writers.length / structs)
    addStruct(writers[half]!, reader, client, clock)
  })
  const deletes = update.deletesNothing ? [] : [finish(writeOnePiece(), update.deleteSet)]
  return [...writers.map((writer) => finish(writer, DeleteSet.empty)), ...deletes]
}

/** An update with collected structs for the clocks of these updates that `held` does not hold. */
export function fill (updates: readonly ScannedUpdate[], held: ScannedUpdate): ScannedUpdate {
  const wanted = clocksOf(updates)
  const taken = clocksOf([held])
  const writer = writeOnePiece()
  for (const client of wanted.clients()) {
    for (const [start, end] of gaps(wanted.rangesOf(client), taken.rangesOf(client))) {
      const struct = new ByteWriter(9)
      struct.byte(kinds.gc)
      struct.varUint(end - start)
      const bytes = struct.finish()
      writer.addStruct(client, start, end - start, bytes, 0, bytes.length)
    }
  }
  return finish(writer, DeleteSet.empty)
}

function writeOnePiece (): PieceWriter {
  return new PieceWriter(Number.MAX_SAFE_INTEGER)
}

function forEachStruct (update: ScannedUpdate, use: UseStruct): void {
  for (const { client, clock: first, from, to } of update.runs) {
    const reader = new StructReader(update.bytes, from)
    for (let clock = first; reader.pos < to; clock += reader.length) {
      reader.readStruct()
      use(reader, client, clock)
    }
  }
}

function addStruct (writer: PieceWriter, reader: StructReader, client: number, clock: number): void {
  writer.addStruct(client, clock, reader.length, reader.bytes, reader.from, reader.pos)
}

function finish (writer: PieceWriter, deleteSet: DeleteSet): ScannedUpdate {
  return scanUnchecked(writer.finish(deleteSet)[0]!)
}

function clocksOf (updates: readonly ScannedUpdate[]): DeleteSet {
  const runs = updates.flatMap(({ runs }) => Array.from(runs))
  return DeleteSet.from(runs.flatMap(({ client, clock, end }) => end > clock ? [client, clock, end] : []))
}

/** The parts of the wanted ranges that are not taken. Both ascend. */
function * gaps (wanted: readonly number[], taken: readonly number[]): Generator<[start: number, end: number]> {
  let at = 0
  for (let i = 0; i < wanted.length; i += 2) {
    let start = wanted[i]!
    const end = wanted[i + 1]!
    while (at < taken.length && taken[at + 1]! <= start) at += 2
    for (let next = at; next < taken.length && taken[next]! < end; next += 2) {
      if (taken[next]! > start) yield [start, taken[next]!]
      start = Math.max(start, taken[next + 1]!)
    }
    if (start < end) yield [start, end]
  }
}
