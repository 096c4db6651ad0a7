import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { Connection } from '../connection.ts'
import type { UpdateSender } from '../save/recent-update.ts'

/** Updates of this node's clients that a room knows and that wait for its next tick. */
export class PendingUpdates {
  #updates: ScannedUpdate[] = []
  #bytes = 0
  #senders: UpdateSender[] = []
  readonly #authors = new Set<string>()
  /** null: several, or none on this node */
  #sender: Connection | null | undefined

  get all (): readonly ScannedUpdate[] { return this.#updates }
  get bytes (): number { return this.#bytes }

  /** The connection that has sent all of them; undefined if there is no such connection. */
  get sender (): Connection | undefined { return this.#sender ?? undefined }

  /** @param from the connection that has sent it; undefined: it comes from a node that has crashed or lost its link */
  add (update: ScannedUpdate, from: Connection | undefined): void {
    this.#updates.push(update)
    this.#bytes += update.bytes.length
    this.#sender = from !== undefined && (this.#sender === undefined || this.#sender === from) ? from : null
    if (from?.userId !== undefined) this.#authors.add(from.userId)
    if (from?.wantsAcknowledgements === true) this.#senders.push(from)
  }

  /**
   * Removes all of them.
   * @returns them, with the senders to notify when they are stored (one for each update) and the user ids of those who
   * have written them
   */
  take (): { updates: readonly ScannedUpdate[], senders: readonly UpdateSender[], authors: readonly string[] } {
    const taken = { updates: this.#updates, senders: this.#senders, authors: [...this.#authors] }
    this.#authors.clear()
    this.#updates = []
    this.#bytes = 0
    this.#senders = []
    this.#sender = undefined
    return taken
  }
}
