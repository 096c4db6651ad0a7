/** Over this many ms the load is averaged; what lies further back counts for half each time. */
const windowMs = 100

/** How much of the process's time the ticks of all rooms take. */
export class TickLoad {
  #since: number
  #busyMs = 0
  #load = 0

  /** @param now engine time in ms */
  constructor (now: number) {
    this.#since = now
  }

  /** 0 = nothing of late, 1 = all of it. */
  get value (): number { return this.#load }

  /** A tick has ended at `now` and took `costMs`. */
  add (costMs: number, now: number): void {
    this.#busyMs += costMs
    const elapsed = now - this.#since
    if (elapsed < windowMs) return
    const load = Math.min(1, this.#busyMs / elapsed)
    // After a long time without ticks what was before says nothing.
    this.#load = elapsed > 2 * windowMs ? load : (this.#load + load) / 2
    this.#since = now
    this.#busyMs = 0
  }
}
