import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

/** Client → the first clock of that client that is not held. */
export type StateVector = Map<number, number>

/**
 * @throws MalformedUpdate where Yjs would throw, and when bytes follow it
 * @see yjs/src/utils/encoding.js readStateVector
 */
export function decodeStateVector (bytes: Uint8Array): StateVector {
  const reader = new ByteReader(bytes)
  const stateVector = readStateVector(reader)
  reader.finish()
  return stateVector
}

/** Reads a state vector that stands inside other bytes. */
export function readStateVector (reader: ByteReader): StateVector {
  const stateVector: StateVector = new Map()
  for (let left = reader.varUint(); left > 0; left--) {
    const client = reader.varUint()
    stateVector.set(client, reader.varUint())
  }
  return stateVector
}

/** Highest client first, as Yjs writes it, so that equal vectors have equal bytes. */
export function encodeStateVector (stateVector: ReadonlyMap<number, number>): Uint8Array {
  const writer = new ByteWriter(8 + stateVector.size * 9)
  writeStateVector(writer, stateVector)
  return writer.finish()
}

/** Writes a state vector into other bytes. */
export function writeStateVector (writer: ByteWriter, stateVector: ReadonlyMap<number, number>): void {
  writer.varUint(stateVector.size)
  for (const [client, clock] of [...stateVector].sort(([a], [b]) => b - a)) {
    writer.varUint(client)
    writer.varUint(clock)
  }
}
