/** One kind of thing that a conversion could not carry over. */
export interface DroppedItem {
  /** What it was, in the words of the block table: `element mention`, `mark underline`, `merged cell`. */
  what: string
  /** `content` is something that a reader would miss, `format` how it looked or behaved. */
  kind: 'content' | 'format'
  count: number
}

/** Counts what a conversion leaves out, so that nothing is dropped silently. */
export class Dropped {
  readonly #items = new Map<string, DroppedItem>()

  /** Counts things of one kind. */
  add (kind: DroppedItem['kind'], what: string, count = 1): void {
    const known = this.#items.get(what)
    if (known !== undefined) known.count += count
    // A hostile document can name a million unknown things; the list stays readable and the count right.
    else if (this.#items.size < 50 || what === 'other') this.#items.set(what, { what: what.slice(0, 80), kind, count })
    else this.add(kind, 'other', count)
  }

  /** Adds the counts of another list. */
  addAll (other: Dropped): void {
    for (const { kind, what, count } of other.#items.values()) this.add(kind, what, count)
  }

  /** All kinds in the order of their first occurrence. */
  list (): DroppedItem[] {
    return [...this.#items.values()]
  }
}
