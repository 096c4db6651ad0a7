/** A map of at most `maxEntries`: one more drops the entry that was set longest ago. */
export class BoundedMap<Key, Value> {
  readonly #maxEntries: number
  /** In the order in which entries were set last. */
  readonly #entries = new Map<Key, Value>()

  constructor (maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get size (): number { return this.#entries.size }

  get (key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  has (key: Key): boolean {
    return this.#entries.has(key)
  }

  /** Sets an entry, which becomes the newest. @returns the value that was dropped to make room */
  set (key: Key, value: Value): Value | undefined {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#maxEntries) return undefined
    const [oldest] = this.#entries
    if (oldest === undefined) return undefined
    this.#entries.delete(oldest[0])
    return oldest[1]
  }

  /** The values, the one that was set longest ago first. */
  values (): IterableIterator<Value> {
    return this.#entries.values()
  }

  delete (key: Key): void {
    this.#entries.delete(key)
  }

  clear (): void {
    this.#entries.clear()
  }
}
