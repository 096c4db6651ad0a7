import { BoundedMap } from '../queue/bounded-map.ts'
import type { Epochs } from './epochs.ts'
import type { Allowed } from './verdict.ts'

/** Entries, at a few hundred bytes each. */
const maxEntries = 10_000

interface Entry {
  readonly room: string
  readonly verdict: Allowed
  /** ms since the epoch. */
  readonly until: number
}

/**
 * Remembers for a short while who can open which room. Denials are not kept, so that a new grant takes effect at once.
 */
export class VerdictCache {
  readonly #lifetimeMs: number
  readonly #now: () => number
  readonly #epochs: Epochs
  readonly #entries = new BoundedMap<string, Entry>(maxEntries)

  /**
   * @param lifetimeMs 0 remembers nothing
   * @param epochs a verdict from before a reset counts as forgotten
   */
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
    if (this.#lifetimeMs > 0) this.#entries.set(key, { room, verdict, until: this.#now() + this.#lifetimeMs })
  }

  delete (key: string): void {
    this.#entries.delete(key)
  }

  clear (): void {
    this.#entries.clear()
  }
}
