import { encodeAwareness, type AwarenessEntry } from '../../protocol/awareness.ts'
import { encodeAwarenessMessage } from '../../protocol/encode-message.ts'
import { Cached } from '../cached.ts'
import { inPieces } from '../in-pieces.ts'
import type { AwarenessTable } from './awareness-table.ts'

/** Bytes that a client id, a clock and the length of a state take, at most */
const maxEntryHeadBytes = 20

/** An awareness message about nobody: any message resets a client's watchdog. */
export const nobody = encodeAwarenessMessage(encodeAwareness([]))

/**
 * The messages that tell a room's clients who is present. Each is encoded once for all clients, and a large one is
 * split: sockets that read slowly share its bytes and wait for one piece at a time.
 */
export class PresenceMessages {
  readonly #awareness: AwarenessTable
  readonly #present = new Cached<number, readonly Uint8Array[]>()
  readonly #remembered = new Cached<number, readonly Uint8Array[]>()

  constructor (awareness: AwarenessTable) {
    this.#awareness = awareness
  }

  /** Everyone who is present; no message if nobody is. */
  present (): readonly Uint8Array[] {
    return this.#present.get(this.#awareness.version, () => inMessages(this.#awareness.present()))
  }

  /** Everyone the room remembers, those who have left too: a presence that is never removed would stay as a ghost. */
  remembered (): readonly Uint8Array[] {
    return this.#remembered.get(this.#awareness.version, () => inMessages(this.#awareness.all()))
  }

  /** Frees what was kept for clients that join at about the same time. */
  forget (): void {
    this.#present.forget()
    this.#remembered.forget()
  }
}

/** Messages of at most `pieceBytes` each; a state that is larger has a message of its own. */
function inMessages (entries: readonly AwarenessEntry[]): Uint8Array[] {
  return inPieces(entries, ({ state }) => maxEntryHeadBytes + Buffer.byteLength(state))
    .map((piece) => encodeAwarenessMessage(encodeAwareness(piece)))
}
