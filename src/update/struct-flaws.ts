import { DeleteSet } from './delete-set.ts'
import { MalformedUpdate } from './malformed-update.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { kinds, StructReader } from './struct-reader.ts'

/**
 * What no writer writes and Yjs cannot apply in the struct that `reader` has just read, as the end of a sentence; null when there is nothing. Yjs throws in
 * the middle of a transaction where a struct refers to what its own client has not written yet, and cannot keep an empty struct for later.
 */
export function flawOf (reader: StructReader, client: number, clock: number): string | null {
  if (reader.length === 0) return 'a struct is empty'
  if (reader.originClient === client && reader.originClock >= clock) return 'an origin is ahead of its struct'
  if (reader.rightClient === client && reader.rightClock >= clock) return 'a right origin is ahead of its struct'
  if (reader.parentClient === client && reader.parentClock >= clock) return 'a parent is ahead of its struct'
  return null
}

/** The clocks of an update's structs that have a flaw, and the first of the flaws as a sentence; null when there is none. Linear in the bytes. */
export function clocksOfFlaws (update: ScannedUpdate): { readonly clocks: DeleteSet, readonly reason: string } | null {
  const found: number[] = []
  let first: string | null = null
  for (const { client, clock: runClock, from, to } of update.runs) {
    const reader = new StructReader(update.bytes, from)
    for (let clock = runClock; reader.pos < to; clock += reader.length) {
      reader.readStruct()
      const flaw = flawOf(reader, client, clock) ?? flawOfValue(reader)
      if (flaw === null) continue
      first ??= flaw
      if (reader.length > 0) found.push(client, clock, clock + reader.length)
    }
  }
  return first === null ? null : { clocks: DeleteSet.from(found), reason: `It has a struct that Yjs cannot apply: ${first}.` }
}

/** What a strict reader would say of the value. */
function flawOfValue (reader: StructReader): string | null {
  if (reader.kind !== kinds.embed && reader.kind !== kinds.format && reader.kind !== kinds.json && reader.kind !== kinds.document) return null
  try {
    new StructReader(reader.bytes, reader.from, true).readStruct()
    return null
  } catch (error) {
    if (error instanceof MalformedUpdate) return 'a value cannot be written again'
    throw error
  }
}
