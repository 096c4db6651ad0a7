/** How far a room has a document's log: all entries up to `synced`, and some beyond. */
export class LogPosition {
  #synced = 0
  #ahead = new Set<number>()
  #highest = 0

  /** Every entry up to and with this one is here. */
  get synced (): number { return this.#synced }
  /** The highest position known to be given out. */
  get highest (): number { return this.#highest }
  /** Whether an entry is missing before some that are here. */
  get hasHole (): boolean { return this.#ahead.size > 0 }

  /** The entry at this position is here. */
  add (seq: number): void {
    if (seq > this.#highest) this.#highest = seq
    if (seq > this.#synced + 1) this.#ahead.add(seq)
    else if (seq > this.#synced) this.#advance(seq)
  }

  /** All entries up to and with this one are here. */
  reach (seq: number): void {
    if (seq > this.#highest) this.#highest = seq
    if (seq <= this.#synced) return
    for (const ahead of this.#ahead) if (ahead <= seq) this.#ahead.delete(ahead)
    this.#advance(seq)
  }

  #advance (seq: number): void {
    this.#synced = seq
    while (this.#ahead.delete(this.#synced + 1)) this.#synced++
  }
}
