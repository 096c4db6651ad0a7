import { BoundedMap } from '../../queue/bounded-map.ts'

/** ms until the first retry; each further failure doubles it, up to the longest. */
const firstRetryMs = 60_000
const longestRetryMs = 24 * 60 * 60_000
/** Names remembered, at about 200 bytes each; above it, the one that failed longest ago is forgotten. */
const maxNames = 10_000

/** Delays retries of work that has failed: 1 min, doubled with each failure in a row, up to a day. Works by name. */
export class Backoff {
  readonly #now: () => number
  /** In the order of their last failures */
  readonly #failures = new BoundedMap<string, { readonly retryMs: number, readonly retryAt: number }>(maxNames)

  /** @param now in ms, monotonic */
  constructor (now: () => number) {
    this.#now = now
  }

  /** How many names have failed and have not succeeded since. */
  get size (): number { return this.#failures.size }

  /** Whether the last attempt failed. */
  has (name: string): boolean {
    return this.#failures.has(name)
  }

  /** Whether it is too early for another attempt. */
  isWaiting (name: string): boolean {
    const failure = this.#failures.get(name)
    return failure !== undefined && this.#now() < failure.retryAt
  }

  /** Work has failed. @returns ms until the next attempt */
  failed (name: string): number {
    const before = this.#failures.get(name)
    const retryMs = before === undefined ? firstRetryMs : Math.min(before.retryMs * 2, longestRetryMs)
    this.#failures.set(name, { retryMs, retryAt: this.#now() + retryMs })
    return retryMs
  }

  succeeded (name: string): void {
    this.#failures.delete(name)
  }
}
