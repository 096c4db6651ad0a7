import { DeleteSet } from './delete-set.ts'
import { MalformedUpdate } from './malformed-update.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { flawOf } from './struct-flaws.ts'
import { kinds, StructReader } from './struct-reader.ts'

/** The structs of an update that have a flaw. */
interface FlawedClocks {
  readonly clocks: DeleteSet
  /** The first flaw, as a sentence. */
  readonly reason: string
}

/** Finds the structs of an update that have a flaw. Linear in the bytes. @returns null if there is none */
export function findFlawedClocks (update: ScannedUpdate): FlawedClocks | null {
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

/** The flaw for which a strict reader rejects the value; null if there is none. */
function flawOfValue (reader: StructReader): string | null {
  const { kind } = reader
  if (kind !== kinds.embed && kind !== kinds.format && kind !== kinds.json && kind !== kinds.document) return null
  try {
    new StructReader(reader.bytes, reader.from, true).readStruct()
    return null
  } catch (error) {
    if (error instanceof MalformedUpdate) return 'a value cannot be written again'
    throw error
  }
}
