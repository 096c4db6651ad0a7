import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { Connection } from '../connection.ts'

/** Updates that are known to a room and wait for its next tick. */
export class PendingUpdates {
  #updates: ScannedUpdate[] = []
  #bytes = 0
  #acknowledge: Connection[] = []
  /** null = several */
  #sender: Connection | null | undefined

  get all (): readonly ScannedUpdate[] { return this.#updates }
  get bytes (): number { return this.#bytes }

  /** The only connection that has sent any of them; undefined where that are several, or not all came from one. */
  get sender (): Connection | undefined { return this.#sender ?? undefined }

  /** @param from who has sent it and is told once it is stored; undefined: nobody here has */
  add (update: ScannedUpdate, from: Connection | undefined): void {
    this.#updates.push(update)
    this.#bytes += update.bytes.length
    this.#sender = from !== undefined && (this.#sender === undefined || this.#sender === from) ? from : null
    if (from?.speaksHocuspocus === true) this.#acknowledge.push(from)
  }

  /** Takes all of them out, with those who are told when they are stored: once for each update. */
  take (): { updates: readonly ScannedUpdate[], acknowledge: readonly Connection[] } {
    const taken = { updates: this.#updates, acknowledge: this.#acknowledge }
    this.#updates = []
    this.#bytes = 0
    this.#acknowledge = []
    this.#sender = undefined
    return taken
  }
}
