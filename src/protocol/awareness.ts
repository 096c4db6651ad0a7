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
 * Reads an awareness update and checks that every client can read it too (each state is parsed by all of them).
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
    if (state !== absentState) JSON.parse(state)
    entries.push({ clientId, clock, state })
  }
  if (decoding.hasContent(decoder)) throw new MalformedMessage('Bytes follow the awareness update')
  return entries
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
