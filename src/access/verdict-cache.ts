import type { Allowed } from './verdict.ts'

/** Entries; at a few hundred bytes each a few megabytes. The oldest make room. */
const MAX_ENTRIES = 10_000

interface Entry {
  readonly room: string
  readonly verdict: Allowed
  /** Ms since the epoch. */
  readonly until: number
}

/** Remembers for a short while who may open which room. Refusals are not remembered: a right just granted holds at once. */
export class VerdictCache {
  readonly #lifetimeMs: number
  readonly #now: () => number
  /** By key, the oldest first. */
  readonly #entries = new Map<string, Entry>()
  readonly #keysOfRoom = new Map<string, Set<string>>()

  /** `lifetimeMs` 0: remembers nothing. */
  constructor (lifetimeMs: number, now: () => number) {
    this.#lifetimeMs = lifetimeMs
    this.#now = now
  }

  get (key: string): Allowed | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (this.#now() < entry.until) return entry.verdict
    this.delete(key)
    return undefined
  }

  set (key: string, room: string, verdict: Allowed): void {
    if (this.#lifetimeMs <= 0) return
    this.delete(key)
    for (const [oldest, { until }] of this.#entries) {
      if (this.#entries.size < MAX_ENTRIES && this.#now() < until) break
      this.delete(oldest)
    }
    this.#entries.set(key, { room, verdict, until: this.#now() + this.#lifetimeMs })
    const keys = this.#keysOfRoom.get(room)
    if (keys === undefined) this.#keysOfRoom.set(room, new Set([key]))
    else keys.add(key)
  }

  delete (key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    const keys = this.#keysOfRoom.get(entry.room)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysOfRoom.delete(entry.room)
  }

  /** Drops what is remembered of one room or all, of one user or all. */
  forget (room?: string, userId?: string): void {
    const keys = room === undefined ? this.#entries.keys() : this.#keysOfRoom.get(room) ?? []
    for (const key of [...keys]) {
      if (userId === undefined || this.#entries.get(key)?.verdict.userId === userId) this.delete(key)
    }
  }
}
