import { emitInCausalOrder } from './causal-order.ts'
import type { DeleteSet } from './delete-set.ts'
import type { PieceWriter } from './piece-writer.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { sliceStruct, splitStruct } from './slice-struct.ts'
import { isSplittable, StructReader } from './struct-reader.ts'

/**
 * Writes the structs of an update that a reader with the clocks in `held` lacks, in causal order; structs too large for
 * a piece are split where possible. Deleted values of several clocks come together with their deletion: under a key Yjs
 * joins only deleted values, and a reader that does not know of the deletion yet throws when such a value is split and
 * collected with its parent (yjs/src/structs/Item.js `gc`, "Unexpected case").
 * @param update its runs must not overlap
 * @param deleteSet of the document
 */
export function writeCausalPieces (
  pieces: PieceWriter,
  update: ScannedUpdate,
  held: ReadonlyMap<number, number>,
  deleteSet: DeleteSet
): void {
  emitInCausalOrder(update, held, (reader, client, clock) => {
    const start = Math.max(clock, held.get(client) ?? 0)
    const isLong = reader.length > 1 && isSplittable(reader.kind)
    const isDeleted = isLong && deleteSet.containsRange(client, start, clock + reader.length)
    if (start > clock) {
      const slice = new StructReader(sliceStruct(reader, client, clock, start - clock))
      slice.readStruct()
      writeStruct(pieces, slice, client, start, isDeleted)
    } else {
      writeStruct(pieces, reader, client, clock, isDeleted)
    }
  })
}

function writeStruct (
  pieces: PieceWriter,
  reader: StructReader,
  client: number,
  clock: number,
  isDeleted: boolean
): void {
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
