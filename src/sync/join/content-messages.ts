import { encodeSyncStep1, encodeUpdate } from '../../protocol/encode-message.ts'
import type { Known } from '../../update/known.ts'
import { pieceBytes } from '../limits.ts'
import { Cached } from '../cached.ts'
import type { Turns } from '../turns.ts'

/** The messages that tell a room's clients what it has. Each is encoded once for all clients. */
export class ContentMessages {
  readonly #known: () => Known
  readonly #turns: Turns
  readonly #step1 = new Cached<Uint8Array, Uint8Array>()
  readonly #deletions = new Cached<number, Promise<readonly Uint8Array[]>>()

  /** @param known returns what the room knows now; opening the room replaces the object */
  constructor (known: () => Known, turns: Turns) {
    this.#known = known
    this.#turns = turns
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
      await this.#turns.next()
    }
    return messages
  }

  /** Frees what was kept for clients that join at about the same time. */
  forget (): void {
    this.#step1.forget()
    this.#deletions.forget()
  }
}
