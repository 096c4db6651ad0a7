/** ms until the first retry; each further failure doubles it. */
const firstRetryMs = 60_000
const longestRetryMs = 24 * 60 * 60_000
/** Names that are remembered, each for about 200 bytes. Of more, the one whose last failure is the oldest is forgotten. */
const maxNames = 10_000

/** Whose work has failed, and how long it is left alone: 1 min, doubled with each failure in a row, up to a day. */
export class Backoff {
  readonly #now: () => number
  /** In the order of their last failures */
  readonly #failures = new Map<string, { readonly retryMs: number, readonly retryAt: number }>()

  /** @param now in ms, monotonic */
  constructor (now: () => number) {
    this.#now = now
  }

  /** How many names have failed and not succeeded since. */
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

  /** @returns ms until the next attempt */
  failed (name: string): number {
    const before = this.#failures.get(name)
    const retryMs = before === undefined ? firstRetryMs : Math.min(before.retryMs * 2, longestRetryMs)
    this.#failures.delete(name)
    this.#failures.set(name, { retryMs, retryAt: this.#now() + retryMs })
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= maxNames) break
      this.#failures.delete(oldest)
    }
    return retryMs
  }

  succeeded (name: string): void {
    this.#failures.delete(name)
  }
}
