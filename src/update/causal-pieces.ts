import { emitInCausalOrder } from './causal-order.ts'
import type { DeleteSet } from './delete-set.ts'
import type { PieceWriter } from './piece-writer.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { sliceStruct, splitStruct } from './slice-struct.ts'
import { isSplittable, StructReader } from './struct-reader.ts'

/**
 * Writes what of an update's structs a reader with the clocks in `held` lacks, in causal order; structs too large for a piece are split where they can be.
 * Values of several clocks that are deleted come with their deletion: under a key they are joined only once they are deleted, and a reader that does not know
 * it yet throws when such a one is split and collected with its parent (yjs/src/structs/Item.js `gc`, "Unexpected case").
 * @param update no two runs may overlap
 * @param deleteSet of the document
 */
export function writeCausalPieces (pieces: PieceWriter, update: ScannedUpdate, held: ReadonlyMap<number, number>, deleteSet: DeleteSet): void {
  emitInCausalOrder(update, held, (reader, client, clock) => {
    const start = Math.max(clock, held.get(client) ?? 0)
    const isDeleted = reader.length > 1 && isSplittable(reader.kind) && deleteSet.containsRange(client, start, clock + reader.length)
    if (start > clock) {
      const slice = new StructReader(sliceStruct(reader, client, clock, start - clock))
      slice.readStruct()
      writeStruct(pieces, slice, client, start, isDeleted)
    } else {
      writeStruct(pieces, reader, client, clock, isDeleted)
    }
  })
}

function writeStruct (pieces: PieceWriter, reader: StructReader, client: number, clock: number, isDeleted: boolean): void {
  const size = reader.pos - reader.from
  const room = pieces.roomFor(client, clock + reader.length, isDeleted)
  if (size <= room) {
    pieces.addStruct(client, clock, reader.length, reader.bytes, reader.from, reader.pos, isDeleted)
    return
  }
  let partClock = clock
  for (const { bytes, length } of splitStruct(reader, client, clock, room)) {
    pieces.addStruct(client, partClock, length, bytes, 0, bytes.length, isDeleted)
    partClock += length
  }
}
