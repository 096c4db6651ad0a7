/** One kind of thing that a conversion could not carry over. */
export interface DroppedItem {
  /** What it was, in the words of the block table: `element mention`, `mark underline`, `merged cell`. */
  what: string
  /** `content` a reader would miss; `format` how it looked or behaved. */
  kind: 'content' | 'format'
  count: number
}

/** Counts what a conversion leaves out, so that nothing is dropped in silence. */
export class Dropped {
  readonly #items = new Map<string, DroppedItem>()

  add (kind: DroppedItem['kind'], what: string, count = 1): void {
    const known = this.#items.get(what)
    if (known !== undefined) known.count += count
    // A hostile document may name a million unknown things; the list stays readable, the count right.
    else if (this.#items.size < 50 || what === 'other') this.#items.set(what, { what: what.slice(0, 80), kind, count })
    else this.add(kind, 'other', count)
  }

  addAll (others: Dropped): void {
    for (const { kind, what, count } of others.#items.values()) this.add(kind, what, count)
  }

  /** In the order in which each kind was first met. */
  list (): DroppedItem[] {
    return [...this.#items.values()]
  }
}
