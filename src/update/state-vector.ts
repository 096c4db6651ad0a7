import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { ClientClocks } from './client-clocks.ts'

/** Client → the first clock of that client that is not held. */
type StateVector = Map<number, number>

/**
 * Decodes a state vector.
 * @throws MalformedUpdate where Yjs would throw, and if bytes follow it
 * @see yjs/src/utils/encoding.js readStateVector
 */
export function decodeStateVector (bytes: Uint8Array): StateVector {
  const reader = new ByteReader(bytes)
  const stateVector: StateVector = new Map()
  for (let left = reader.varUint(); left > 0; left--) {
    const client = reader.varUint()
    stateVector.set(client, reader.varUint())
  }
  reader.finish()
  return stateVector
}

/** The number of entries that an encoded state vector announces, without reading them. @throws MalformedUpdate */
export function countStateVector (bytes: Uint8Array): number {
  return new ByteReader(bytes).varUint()
}

/** Reads a state vector that is part of other bytes. */
export function readStateVector (reader: ByteReader): ClientClocks {
  const clocks = new ClientClocks()
  for (let left = reader.varUint(); left > 0; left--) {
    const client = reader.varUint()
    clocks.set(client, reader.varUint())
  }
  return clocks
}

/** Writes a state vector. The highest client comes first, as in Yjs, so that equal vectors have equal bytes. */
export function writeStateVector (writer: ByteWriter, clocks: ClientClocks): void {
  let held = 0
  for (let i = 0; i < clocks.size; i++) if (clocks.clockAt(i) > 0) held++
  writer.varUint(held)
  for (let i = 0; i < clocks.size; i++) {
    const clock = clocks.clockAt(i)
    if (clock === 0) continue
    writer.varUint(clocks.clientAt(i))
    writer.varUint(clock)
  }
}
