import { BoundedMap } from '../queue/bounded-map.ts'

/** Entries, of which a reset makes two; at about 150 bytes each 1.5 MB. */
const maxEntriesByDefault = 10_000

/**
 * Orders verdicts and resets, so that no verdict from before a reset is used after it. Each reset begins a new epoch,
 * and each verdict carries the epoch in which its check began. The oldest resets are forgotten; every verdict from
 * before a forgotten reset counts as overtaken.
 */
export class Epochs {
  /** The epoch that the last reset began, by what was reset. */
  readonly #begun: BoundedMap<string, number>
  #current = 0
  #forgotten = 0

  constructor (maxEntries = maxEntriesByDefault) {
    this.#begun = new BoundedMap(maxEntries)
  }

  /** The epoch of a verdict whose check begins now. */
  get current (): number { return this.#current }

  /** Begins a new epoch for a room, or for one user in it. */
  reset (room: string, userId?: string): void {
    this.#current++
    this.#note(anybody(room))
    this.#note(userId === undefined ? everybody(room) : user(room, userId))
  }

  /**
   * Whether a verdict of that epoch still holds for this user: neither the whole room nor the user was reset since.
   * The reset of one user never concerns an anonymous visitor.
   */
  isCurrent (epoch: number, room: string, userId: string | undefined): boolean {
    return this.#isSince(epoch, everybody(room)) && (userId === undefined || this.#isSince(epoch, user(room, userId)))
  }

  /** Whether there was no reset at all in the room since that epoch. For callers that do not know the user yet. */
  isUntouched (epoch: number, room: string): boolean {
    return this.#isSince(epoch, anybody(room))
  }

  #isSince (epoch: number, key: string): boolean {
    return epoch >= this.#forgotten && epoch >= (this.#begun.get(key) ?? 0)
  }

  #note (key: string): void {
    const dropped = this.#begun.set(key, this.#current)
    if (dropped !== undefined) this.#forgotten = dropped
  }
}

const anybody = (room: string): string => JSON.stringify([room])
const everybody = (room: string): string => JSON.stringify([room, null])
const user = (room: string, userId: string): string => JSON.stringify([room, userId])
