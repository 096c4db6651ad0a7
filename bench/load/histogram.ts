const BUCKETS_PER_DOUBLING = 16
const SMALLEST_MS = 0.01
const BUCKETS = 24 * BUCKETS_PER_DOUBLING

/**
 * Delays in milliseconds, in buckets 4.4 % wide: adding half a million values per second is cheap and takes no memory.
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  count = 0
  maximum = 0

  add (milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(milliseconds, SMALLEST_MS) / SMALLEST_MS) * BUCKETS_PER_DOUBLING)
    const at = Math.min(bucket, BUCKETS - 1)
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.count++
    if (milliseconds > this.maximum) this.maximum = milliseconds
  }

  /**
   * @param share 0.95 for the 95th percentile
   * @returns upper edge of its bucket, in milliseconds; NaN if nothing was added
   */
  quantile (share: number): number {
    let left = share * this.count
    if (this.count === 0) return NaN
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.#counts[at] ?? 0
      if (left <= 0) return Math.min(SMALLEST_MS * 2 ** ((at + 1) / BUCKETS_PER_DOUBLING), this.maximum)
    }
    return this.maximum
  }

  clear (): void {
    this.#counts.fill(0)
    this.count = 0
    this.maximum = 0
  }
}
