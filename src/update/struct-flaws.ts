import { noClient, type StructReader } from './struct-reader.ts'

/**
 * What no writer writes and Yjs cannot apply in the struct that `reader` has just read, as the end of a sentence; null when there is nothing. Yjs throws in
 * the middle of a transaction where a struct refers to what its own client has not written yet, and cannot keep an empty struct for later.
 */
export function flawOf (reader: StructReader, client: number, clock: number): string | null {
  if (reader.length === 0) return 'a struct is empty'
  if (isAhead(reader.originClient, reader.originClock, client, clock)) return 'an origin is ahead of its struct'
  if (isAhead(reader.rightClient, reader.rightClock, client, clock)) return 'a right origin is ahead of its struct'
  if (isAhead(reader.parentClient, reader.parentClock, client, clock)) return 'a parent is ahead of its struct'
  return null
}

function isAhead (idClient: number, idClock: number, client: number, clock: number): boolean {
  return idClient !== noClient && idClient === client && idClock >= clock
}
