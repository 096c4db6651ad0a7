/** One turn of the event loop gives at most this many ms to bulk work; what is left waits for the next turn. */
const turnBudgetMs = 4

/** Deals out turns for bulk sending, first come first served, so that fifty joiners of a large document leave time for others. */
export class Pacer {
  readonly #now: () => number
  #waiting: Array<() => void> = []
  #scheduled = false

  constructor (now: () => number) {
    this.#now = now
  }

  /** Resolves in a later turn of the event loop, when there is time. */
  turn (): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#schedule()
    })
  }

  /** Takes each step in a turn of its own. @returns what the last one has found */
  async run<Result> (steps: Iterator<void, Result, void>): Promise<Result> {
    for (;;) {
      const { done, value } = steps.next()
      if (done === true) return value
      await this.turn()
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
      // The resolved turn runs as a microtask: let it finish before looking at the time again.
      await null
      await null
    }
    this.#waiting.splice(0, dealt)
    this.#scheduled = false
    if (this.#waiting.length > 0) this.#schedule()
  }
}
