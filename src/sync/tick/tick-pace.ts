/** What the ticks of a room carry and cost, averaged. */
export interface TickFigures {
  /** ms; nearly all of it the writes, one for each socket, however much they carry */
  readonly costMs: number
  /** Updates and presences that go into one */
  readonly merged: number
  /** Share of the process's time that the ticks of all rooms take, 0 to 1 */
  readonly load: number
}

/** ms for which what arrives is gathered where a tick costs 1 ms. */
const gatherMs = 3.5
/** The same for each thing merged: the more a tick has saved, the more the next one may save. */
const gatherMsForEach = 1
/** Load at which it is twice as long as in an idle process; it grows with its square. */
const loadThatDoubles = 0.25
/** What one tick counts for in the averages: neither a pause of the garbage collector nor three who type at once must slow a room down for long. */
const weightOfOne = 0.2
/** Averages that are older than this many ms say nothing of those who are here now. */
const freshMs = 2000
/** A room whose last tick is longer ago than so many times its gathering has nothing to gain from it. */
const busyForSpacings = 4

/**
 * How long a room gathers before a tick, in ms. A room of ten gathers for 1 to 2 ms, one of a hundred for 6, one where ten times as
 * much is typed for as long as it may, and all of them longer in a process that has too much to do. It grows with the root of
 * the cost: what people notice of a delay does not grow with their number, nor with how slow the machine is at the moment.
 * @param most never longer than this
 */
export function spacingOf ({ costMs, merged, load }: TickFigures, most: number): number {
  return Math.min(most, Math.sqrt(costMs) * (gatherMs + gatherMsForEach * merged) * (1 + (load / loadThatDoubles) ** 2))
}

/** When a room ticks: at once after a quiet time; while it is busy, some time after the first thing that arrives, so that others can share its writes. */
export class TickPace {
  /** As in `TickFigures` */
  #costMs = 0
  #merged = 0
  #spacing = 0
  /** Engine time in ms when the last tick began */
  #tickedAt = -Infinity

  /** @returns when to tick for what arrives at `now` */
  dueAt (now: number): number {
    return now - this.#tickedAt < busyForSpacings * this.#spacing ? now + this.#spacing : now
  }

  /**
   * A tick has begun and ended, at these engine times in ms.
   * @param merged updates and presences that it carried
   * @param load share of the process's time that the ticks of all rooms take
   * @param most longest time to gather, in ms
   */
  ticked (startedAt: number, endedAt: number, merged: number, load: number, most: number): void {
    const weight = startedAt - this.#tickedAt > freshMs ? 1 : weightOfOne
    this.#tickedAt = startedAt
    this.#costMs += (endedAt - startedAt - this.#costMs) * weight
    this.#merged += (merged - this.#merged) * weight
    this.#spacing = spacingOf({ costMs: this.#costMs, merged: this.#merged, load }, most)
  }
}
