/** ms of one turn of the event loop that bulk work gets, at most; the rest waits for the next turn. */
const turnBudgetMs = 4

/**
 * Gives out turns for bulk work, first come, first served, so that fifty clients that join a large document leave time
 * for other work.
 */
export class Turns {
  readonly #now: () => number
  #waiting: Array<() => void> = []
  #scheduled = false

  constructor (now: () => number) {
    this.#now = now
  }

  /** Resolves in a later turn of the event loop, when there is time. */
  next (): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#schedule()
    })
  }

  /** Takes each step in a turn of its own. @returns the result of the last one */
  async run<Result> (steps: Iterator<void, Result, void>): Promise<Result> {
    for (;;) {
      const { done, value } = steps.next()
      if (done === true) return value
      await this.next()
    }
  }

  #schedule (): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => { this.#deal().catch(() => { this.#scheduled = false }) })
  }

  async #deal (): Promise<void> {
    const endsAt = this.#now() + turnBudgetMs
    const { length } = this.#waiting
    let dealt = 0
    while (dealt < length && this.#now() < endsAt) {
      this.#waiting[dealt++]?.()
      // The resolved turn runs as a microtask: it must finish before the time is read again.
      await null
      await null
    }
    this.#waiting.splice(0, dealt)
    this.#scheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }
}
