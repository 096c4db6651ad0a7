import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { Connection } from '../connection.ts'
import type { UpdateSender } from '../save/recent-update.ts'

const none: readonly never[] = []

/** Updates of this node's clients that a room knows and that wait for its next tick. */
export class PendingUpdates {
  #updates: readonly ScannedUpdate[] = none
  #bytes = 0
  #senders: readonly UpdateSender[] = none
  #author: string | undefined
  /** Those after the first */
  #otherAuthors: Set<string> | undefined
  /** null: several, or none on this node */
  #sender: Connection | null | undefined

  get all (): readonly ScannedUpdate[] { return this.#updates }
  get bytes (): number { return this.#bytes }

  /** The connection that has sent all of them; undefined if there is no such connection. */
  get sender (): Connection | undefined { return this.#sender ?? undefined }

  /** @param from the connection that has sent it; undefined: it comes from a node that has crashed or lost its link */
  add (update: ScannedUpdate, from: Connection | undefined): void {
    this.#updates = withItem(this.#updates, update)
    this.#bytes += update.bytes.length
    this.#sender = from !== undefined && (this.#sender === undefined || this.#sender === from) ? from : null
    if (from?.userId !== undefined) this.#addAuthor(from.userId)
    if (from?.wantsAcknowledgements === true) this.#senders = withItem(this.#senders, from)
  }

  /**
   * Removes all of them.
   * @returns them, with the senders to notify when they are stored (one for each update) and the user ids of those who
   * have written them
   */
  take (): { updates: readonly ScannedUpdate[], senders: readonly UpdateSender[], authors: readonly string[] } {
    const taken = { updates: this.#updates, senders: this.#senders, authors: this.#takeAuthors() }
    this.#updates = none
    this.#bytes = 0
    this.#senders = none
    this.#sender = undefined
    return taken
  }

  #addAuthor (author: string): void {
    if (this.#author === undefined) this.#author = author
    else if (author !== this.#author) (this.#otherAuthors ??= new Set()).add(author)
  }

  #takeAuthors (): readonly string[] {
    const [first, others] = [this.#author, this.#otherAuthors]
    this.#author = undefined
    this.#otherAuthors = undefined
    if (first === undefined) return none
    return others === undefined ? [first] : [first, ...others]
  }
}

/**
 * Adds an item to a list that nobody else has. Most ticks have one update: a list of one is made at its size, while
 * `push` makes room for 17.
 */
function withItem<Item> (list: readonly Item[], item: Item): readonly Item[] {
  if (list.length === 0) return [item]
  const own = list as Item[] // made here
  own.push(item)
  return own
}
