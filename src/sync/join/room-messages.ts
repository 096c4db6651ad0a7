import { encodeAwareness } from '../../protocol/awareness.ts'
import { encodeAwarenessMessage, encodeSyncStep1, encodeUpdate } from '../../protocol/encode-message.ts'
import type { Known } from '../../update/known.ts'
import type { AwarenessTable } from '../presence/awareness-table.ts'
import { Cached } from './cached.ts'
import { pieceBytes } from '../limits.ts'
import type { Pacer } from './pacer.ts'
import { presencePieces } from '../presence/presence.ts'

/** An awareness message about nobody: any message keeps a client's watchdog quiet. */
export const nobody = encodeAwarenessMessage(encodeAwareness([]))

/**
 * What a room tells its clients about itself. Each message is encoded once for all who hear it, and a large one is split:
 * sockets that read slowly share its bytes and wait for one piece at a time.
 */
export class RoomMessages {
  readonly #known: () => Known
  readonly #awareness: AwarenessTable
  readonly #pacer: Pacer
  readonly #step1 = new Cached<Uint8Array, Uint8Array>()
  readonly #deletions = new Cached<number, Promise<readonly Uint8Array[]>>()
  readonly #present = new Cached<number, readonly Uint8Array[]>()
  readonly #remembered = new Cached<number, readonly Uint8Array[]>()

  /** @param known what the room knows now; it is another object once the room is open */
  constructor (known: () => Known, awareness: AwarenessTable, pacer: Pacer) {
    this.#known = known
    this.#awareness = awareness
    this.#pacer = pacer
  }

  /** Asks a client for what the room lacks. */
  step1 (): Uint8Array {
    return this.#step1.get(this.#known().encodeStateVector(), encodeSyncStep1)
  }

  /**
   * All deletions, as updates, each encoded in its own turn of the event loop: 250,000 ranges in one turn would block
   * it for 10 ms. A state vector does not cover deletions, so every reader gets all of them.
   */
  deletions (): Promise<readonly Uint8Array[]> {
    const known = this.#known()
    return this.#deletions.get(known.deletesVersion, () => this.#encodeDeletions(known))
  }

  async #encodeDeletions (known: Known): Promise<readonly Uint8Array[]> {
    const messages: Uint8Array[] = []
    for (const update of known.encodingDeleteSetUpdates(pieceBytes)) {
      messages.push(encodeUpdate(update))
      await this.#pacer.turn()
    }
    return messages
  }

  /** Everyone who is present; no message where nobody is. */
  present (): readonly Uint8Array[] {
    return this.#present.get(this.#awareness.version, () => presencePieces(this.#awareness.present()))
  }

  /** Everyone the room remembers, those who have left too: a presence that is never removed would stay as a ghost. */
  remembered (): readonly Uint8Array[] {
    return this.#remembered.get(this.#awareness.version, () => presencePieces(this.#awareness.all()))
  }

  /** Frees what was kept for those who join at about the same time. */
  forget (): void {
    for (const cached of [this.#step1, this.#deletions, this.#present, this.#remembered]) cached.forget()
  }
}
