import type { Epochs } from './epochs.ts'
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
  readonly #epochs: Epochs
  /** By key, the oldest first. */
  readonly #entries = new Map<string, Entry>()

  /** `lifetimeMs` 0: remembers nothing. A verdict from before a reset counts as forgotten. */
  constructor (lifetimeMs: number, now: () => number, epochs: Epochs) {
    this.#lifetimeMs = lifetimeMs
    this.#now = now
    this.#epochs = epochs
  }

  get (key: string): Allowed | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const { room, verdict, until } = entry
    if (this.#now() < until && this.#epochs.isCurrent(verdict.epoch, room, verdict.userId)) return verdict
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
  }

  delete (key: string): void {
    this.#entries.delete(key)
  }

  clear (): void {
    this.#entries.clear()
  }
}
