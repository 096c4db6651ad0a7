/** Upper bounds of the buckets in seconds: from what nobody notices to what everybody does. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** How long something took, counted in buckets. Allocates nothing when it counts, so that it may stand on the hot path. */
export class Durations {
  /** One for each bucket, and one for what is longer than all */
  readonly #counts = new Float64Array(durationBuckets.length + 1)
  #seconds = 0

  /** Counts one that took so many ms. */
  observe (ms: number): void {
    const seconds = ms / 1000
    let bucket = 0
    while (bucket < durationBuckets.length && seconds > (durationBuckets[bucket] ?? 0)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#seconds += seconds
  }

  /** All of them together, in seconds */
  get seconds (): number { return this.#seconds }

  /** How many lay in each bucket or below it; the last says how many there were. */
  cumulative (): number[] {
    let sum = 0
    return Array.from(this.#counts, (count) => { sum += count; return sum })
  }
}
