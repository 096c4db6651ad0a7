import { absentState, encodeAwareness, type AwarenessEntry } from '../../protocol/awareness.ts'
import { encodeAwarenessMessage } from '../../protocol/encode-message.ts'
import type { Presence } from './awareness-table.ts'
import { inPieces } from '../join/in-pieces.ts'
import type { SharedPresence } from '../peers/other-nodes.ts'

/** What a client id, a clock and the length of a state take at most, in bytes */
const maxEntryHeadBytes = 20

/** Presence as other nodes hear it. `now` is engine time in ms. */
export function sharePresence (presences: readonly Presence[], now: number): SharedPresence[] {
  return presences.map(({ clientId, clock, state, claim, renewedAt }) => ({
    clientId, clock, state, ...claim, leftMs: state === absentState ? Math.max(0, Math.round(now - renewedAt)) : 0,
  }))
}

/** Presence as messages to clients of at most `pieceBytes` each; a state that is larger stays alone. */
export function presencePieces (entries: readonly AwarenessEntry[]): Uint8Array[] {
  return inPieces(entries, ({ state }) => maxEntryHeadBytes + Buffer.byteLength(state))
    .map((piece) => encodeAwarenessMessage(encodeAwareness(piece)))
}
