/** Upper bounds of the buckets in seconds: from imperceptible delays to those that every user notices. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** Counts durations in buckets. Counting allocates nothing, so that the hot path can use it. */
export class Durations {
  /** A count for each bucket, and one for longer durations. */
  readonly #counts = new Float64Array(durationBuckets.length + 1)
  #seconds = 0

  /** Counts one duration. */
  observe (ms: number): void {
    const seconds = ms / 1000
    let bucket = 0
    while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#seconds += seconds
  }

  /** The sum of all durations, in seconds. */
  get seconds (): number { return this.#seconds }

  /** The number of durations up to the bound of each bucket; the last element counts all. */
  cumulative (): number[] {
    let sum = 0
    return Array.from(this.#counts, (count) => { sum += count; return sum })
  }
}
