/** ms over which the load is averaged; each earlier window counts half as much. */
const windowMs = 100

/** The share of the process's time that the ticks of all rooms take. */
export class TickLoad {
  #since: number
  #busyMs = 0
  #load = 0

  /** @param now engine time in ms */
  constructor (now: number) {
    this.#since = now
  }

  /** From 0 to 1 */
  get value (): number { return this.#load }

  /** A tick has ended at `now` and took `costMs`. */
  add (costMs: number, now: number): void {
    this.#busyMs += costMs
    const elapsed = now - this.#since
    if (elapsed < windowMs) return
    const load = Math.min(1, this.#busyMs / elapsed)
    // After a long time without ticks the earlier load is meaningless.
    this.#load = elapsed > 2 * windowMs ? load : (this.#load + load) / 2
    this.#since = now
    this.#busyMs = 0
  }
}
