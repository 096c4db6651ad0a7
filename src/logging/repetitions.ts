/** Ms in which what happens again and again is reported once. */
const quietMs = 10_000

/** Kinds remembered, at about 200 bytes each. Addresses are kinds too, so the kind reported longest ago is dropped. */
const maxKinds = 10_000

/** Separates events to report from their repetitions. */
export class Repetitions {
  readonly #now: () => number
  /** By kind, the one reported longest ago first */
  readonly #seen = new Map<string, { readonly since: number, suppressed: number }>()

  /** @param now engine time in ms */
  constructor (now: () => number) {
    this.#now = now
  }

  /** @returns undefined for a repetition within 10 s of a report; else what the report says of those since the last one */
  next (kind: string): { readonly suppressed?: number } | undefined {
    const seen = this.#seen.get(kind)
    if (seen !== undefined && this.#now() - seen.since < quietMs) {
      seen.suppressed++
      return undefined
    }
    this.#seen.delete(kind)
    this.#seen.set(kind, { since: this.#now(), suppressed: 0 })
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= maxKinds) break
      this.#seen.delete(oldest)
    }
    return seen === undefined || seen.suppressed === 0 ? {} : { suppressed: seen.suppressed }
  }
}
