import { BoundedMap } from '../queue/bounded-map.ts'

/** ms in which a repeated event is reported once. */
const quietMs = 10_000

/** Kinds remembered, at about 200 bytes each. Kinds contain addresses, so their number has no bound of its own. */
const maxKinds = 10_000

/** Tells new events from repetitions of events that were just reported. */
export class Repetitions {
  readonly #now: () => number
  readonly #reported = new BoundedMap<string, { readonly at: number, suppressed: number }>(maxKinds)

  /** @param now engine time in ms */
  constructor (now: () => number) {
    this.#now = now
  }

  /**
   * @returns undefined for a repetition within 10 s of a report, which need not be reported; otherwise the fields to
   * report: the number of repetitions since the last report, if there were any
   */
  next (kind: string): { readonly suppressed?: number } | undefined {
    const last = this.#reported.get(kind)
    if (last !== undefined && this.#now() - last.at < quietMs) {
      last.suppressed++
      return undefined
    }
    this.#reported.set(kind, { at: this.#now(), suppressed: 0 })
    return last === undefined || last.suppressed === 0 ? {} : { suppressed: last.suppressed }
  }
}
