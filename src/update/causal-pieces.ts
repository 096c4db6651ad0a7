import { emitInCausalOrder } from './causal-order.ts'
import type { PieceWriter } from './piece-writer.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { sliceStruct, splitStruct } from './slice-struct.ts'
import { StructReader } from './struct-reader.ts'

/**
 * Writes what of an update's structs a reader with the clocks in `held` lacks, in causal order; structs too large for a piece are split where they can be.
 * @param update no two runs may overlap
 */
export function writeCausalPieces (pieces: PieceWriter, update: ScannedUpdate, held: ReadonlyMap<number, number>): void {
  emitInCausalOrder(update, held, (reader, client, clock) => {
    const start = Math.max(clock, held.get(client) ?? 0)
    if (start > clock) {
      const slice = new StructReader(sliceStruct(reader, client, clock, start - clock))
      slice.readStruct()
      writeStruct(pieces, slice, client, start)
    } else {
      writeStruct(pieces, reader, client, clock)
    }
  })
}

function writeStruct (pieces: PieceWriter, reader: StructReader, client: number, clock: number): void {
  const size = reader.pos - reader.from
  const room = pieces.roomFor(client, clock + reader.length)
  if (size <= room) {
    pieces.addStruct(client, clock, reader.length, reader.bytes, reader.from, reader.pos)
    return
  }
  let partClock = clock
  for (const { bytes, length } of splitStruct(reader, client, clock, room)) {
    pieces.addStruct(client, partClock, length, bytes, 0, bytes.length)
    partClock += length
  }
}
