import { encodeAwareness } from '../protocol/awareness.ts'
import { encodeAwarenessMessage, encodeSyncStep1, encodeUpdate } from '../protocol/encode-message.ts'
import type { Known } from '../update/known.ts'
import { PieceWriter } from '../update/piece-writer.ts'
import type { AwarenessTable } from './awareness-table.ts'
import { Cached } from './cached.ts'
import { pieceBytes } from './limits.ts'
import { presencePieces } from './presence.ts'

/** An awareness message about nobody: any message keeps a client's watchdog quiet. */
export const nobody = encodeAwarenessMessage(encodeAwareness([]))

/**
 * What a room tells its clients about itself. Each message is encoded once for all who hear it, and a large one is split:
 * sockets that read slowly share its bytes and wait for one piece at a time.
 */
export class RoomMessages {
  readonly #known: () => Known
  readonly #awareness: AwarenessTable
  readonly #step1 = new Cached<Uint8Array, Uint8Array>()
  readonly #deletions = new Cached<Uint8Array, readonly Uint8Array[]>()
  readonly #present = new Cached<number, readonly Uint8Array[]>()
  readonly #remembered = new Cached<number, readonly Uint8Array[]>()

  /** @param known what the room knows now; it is another object once the room is open */
  constructor (known: () => Known, awareness: AwarenessTable) {
    this.#known = known
    this.#awareness = awareness
  }

  /** Asks a client for what the room lacks. */
  step1 (): Uint8Array {
    return this.#step1.get(this.#known().encodeStateVector(), encodeSyncStep1)
  }

  /** All deletions, as updates. A state vector says nothing of them, so every reader gets all. */
  deletions (): readonly Uint8Array[] {
    return this.#deletions.get(this.#known().encodeDeleteSetUpdate(), (update) => {
      if (update.length <= pieceBytes) return [encodeUpdate(update)]
      return new PieceWriter(pieceBytes).finish(this.#known().deleteSet).map(encodeUpdate)
    })
  }

  /** Bytes of all deletions together. */
  get deletionBytes (): number { return this.#known().encodeDeleteSetUpdate().length }

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
