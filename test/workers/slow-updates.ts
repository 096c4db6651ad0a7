import { createEncoder, toUint8Array, writeUint8, writeVarString, writeVarUint, type Encoder } from 'lib0/encoding'

// Small updates that are valid, but that Yjs integrates in time that is quadratic in their items.

const withOrigin = 0x80
const withRightOrigin = 0x40
const withParentSub = 0x20
const contentString = 4
const contentType = 7
const xmlText = 6

/** Children of an XML fragment by two clients, where one client's look for their places from the start. */
export function rightOriginChain (count: number): Uint8Array {
  return update([2, 1], count, (encoder, client, clock) => {
    if (client === 2) {
      writeUint8(encoder, withRightOrigin | contentType)
      writeId(encoder, 1, clock)
    } else if (clock > 0) {
      writeUint8(encoder, withOrigin | contentType)
      writeId(encoder, 1, clock - 1)
    } else {
      writeUint8(encoder, contentType)
      writeRoot(encoder)
    }
    writeVarUint(encoder, xmlText)
  })
}

/** Values of one key of a map, none of which knows another. */
export function mapConflicts (count: number): Uint8Array {
  return update([1], count, (encoder) => {
    writeUint8(encoder, withParentSub | contentString)
    writeRoot(encoder)
    writeVarString(encoder, 'key')
    writeVarString(encoder, 'v')
  })
}

type WriteStruct = (encoder: Encoder, client: number, clock: number) => void

/** `count` structs of each client, and no deletions. @param clients in descending order, as Yjs writes them */
function update (clients: readonly number[], count: number, writeStruct: WriteStruct): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, clients.length)
  for (const client of clients) {
    writeVarUint(encoder, count)
    writeId(encoder, client, 0)
    for (let clock = 0; clock < count; clock++) writeStruct(encoder, client, clock)
  }
  writeVarUint(encoder, 0)
  return toUint8Array(encoder)
}

function writeId (encoder: Encoder, client: number, clock: number): void {
  writeVarUint(encoder, client)
  writeVarUint(encoder, clock)
}

/** Writes a root of the document as parent. */
function writeRoot (encoder: Encoder): void {
  writeVarUint(encoder, 1)
  writeVarString(encoder, 'root')
}
