import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { MalformedMessage } from './message.ts'

/** One client's presence in an awareness update (`encodeAwarenessUpdate` in y-protocols/awareness.js). */
export interface AwarenessEntry {
  /** Yjs client id */
  readonly clientId: number
  /** Rises with every change of the state */
  readonly clock: number
  /** JSON text; `null` as text means that the client has left */
  readonly state: string
}

/** How a client that left looks on the wire. */
export const absentState = 'null'

/**
 * Reads an awareness update. What its states hold is not looked at.
 * @throws MalformedMessage
 */
export function decodeAwareness (update: Uint8Array): AwarenessEntry[] {
  const decoder = decoding.createDecoder(update)
  const count = decoding.readVarUint(decoder)
  const entries: AwarenessEntry[] = []
  for (let i = 0; i < count; i++) {
    const clientId = decoding.readVarUint(decoder)
    const clock = decoding.readVarUint(decoder)
    const state = decoding.readVarString(decoder)
    entries.push({ clientId, clock, state })
  }
  if (decoding.hasContent(decoder)) throw new MalformedMessage('Bytes follow the awareness update')
  return entries
}

/** Whether every client can read the state: each parses all of them. */
export function isReadable (state: string): boolean {
  if (state === absentState) return true
  try {
    JSON.parse(state)
    return true
  } catch {
    return false
  }
}

/** Writes an awareness update. */
export function encodeAwareness (entries: readonly AwarenessEntry[]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, entries.length)
  for (const { clientId, clock, state } of entries) {
    encoding.writeVarUint(encoder, clientId)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, state)
  }
  return encoding.toUint8Array(encoder)
}
