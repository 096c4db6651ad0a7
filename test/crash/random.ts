/** Numbers that depend only on a seed (mulberry32), so that a series of kills can be repeated. */
export class Random {
  #state: number

  constructor (seed: number) {
    this.#state = seed | 0
  }

  /** From 0 up to and without 1. */
  next (): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 up to and without `end`. */
  below (end: number): number {
    return Math.floor(this.next() * end)
  }
}

/**
 * The rounds of a long series (`make crash`), and the seed that repeats its choices. It cannot repeat the timing of the
 * kernel's scheduler.
 */
export function series (
  shortRounds: number
): { readonly rounds: number, readonly seed: number, readonly isLong: boolean } {
  const { CRASH_ROUNDS = '', CRASH_SEED = '' } = process.env
  const isLong = CRASH_ROUNDS !== ''
  const seed = CRASH_SEED === '' ? Math.floor(Math.random() * 2 ** 31) : Number(CRASH_SEED)
  return { rounds: isLong ? Number(CRASH_ROUNDS) : shortRounds, seed, isLong }
}
