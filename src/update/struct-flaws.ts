import type { StructReader } from './struct-reader.ts'

/**
 * Finds what no writer writes and Yjs cannot apply in the struct that `reader` has just read. Yjs throws in the middle
 * of a transaction if a struct refers to what its own client has not written yet, and cannot keep an empty struct for
 * later.
 * @returns the end of a sentence; null if there is no flaw
 */
export function flawOf (reader: StructReader, client: number, clock: number): string | null {
  if (reader.length === 0) return 'a struct is empty'
  if (reader.originClient === client && reader.originClock >= clock) return 'an origin is ahead of its struct'
  if (reader.rightClient === client && reader.rightClock >= clock) return 'a right origin is ahead of its struct'
  if (reader.parentClient === client && reader.parentClock >= clock) return 'a parent is ahead of its struct'
  return null
}
