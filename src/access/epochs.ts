/** Entries, of which a reset makes two; at some 150 bytes each 1.5 MB. */
const MAX_ENTRIES = 10_000

/**
 * Orders verdicts and resets, so that no verdict from before a reset is used after it. Each reset begins a new epoch, and
 * each verdict carries the epoch in which its judging began. The oldest resets are forgotten; whatever was judged before
 * them counts as overtaken.
 */
export class Epochs {
  readonly #maxEntries: number
  /** The epoch that the last reset began, by what was reset; the oldest first. */
  readonly #begun = new Map<string, number>()
  #current = 0
  #forgotten = 0

  constructor (maxEntries = MAX_ENTRIES) {
    this.#maxEntries = maxEntries
  }

  get current (): number { return this.#current }

  /** Begins a new epoch for a room, or for one user in it. */
  reset (room: string, userId?: string): void {
    this.#current++
    this.#note(anybody(room))
    this.#note(userId === undefined ? everybody(room) : user(room, userId))
  }

  /** Whether a verdict of that epoch holds for this user: neither the whole room nor the user was reset since. Nobody's reset is that of an anonymous user. */
  isCurrent (epoch: number, room: string, userId: string | undefined): boolean {
    return this.#isSince(epoch, everybody(room)) && (userId === undefined || this.#isSince(epoch, user(room, userId)))
  }

  /** Whether nobody at all was reset in the room since: what to ask where the user is not known yet. */
  isUntouched (epoch: number, room: string): boolean {
    return this.#isSince(epoch, anybody(room))
  }

  #isSince (epoch: number, key: string): boolean {
    return epoch >= this.#forgotten && epoch >= (this.#begun.get(key) ?? 0)
  }

  #note (key: string): void {
    this.#begun.delete(key)
    this.#begun.set(key, this.#current)
    for (const [oldest, epoch] of this.#begun) {
      if (this.#begun.size <= this.#maxEntries) break
      this.#begun.delete(oldest)
      this.#forgotten = epoch
    }
  }
}

const anybody = (room: string) => JSON.stringify([room])
const everybody = (room: string) => JSON.stringify([room, null])
const user = (room: string, userId: string) => JSON.stringify([room, userId])
