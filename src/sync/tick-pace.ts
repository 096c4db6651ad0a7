/** What a tick carried and cost. */
export interface TickFigures {
  /** ms of a tick of this room, averaged; nearly all of it the writes, one for each socket, however much they carry */
  readonly costMs: number
  /** Updates and presences that went into it */
  readonly merged: number
  /** Share of the process's time that the ticks of all rooms take, 0 to 1 */
  readonly load: number
}

/** How long what arrives is gathered, in times of a tick's cost. */
const gatherInCosts = 4
/** The same for each thing merged: the more a tick has saved, the more the next one may save. */
const gatherForEach = 1
/** Load at which it is twice as long as in an idle process; it grows with its square. */
const loadThatDoubles = 0.25
/** What one tick counts for in the average cost of ticks: a pause of the garbage collector must not slow a room down for long. */
const costWeight = 0.2
/** A room whose last tick is longer ago than so many times its gathering has nothing to gain from it. */
const busyForSpacings = 4

/**
 * How long a room gathers before a tick, in ms. A room of ten gathers for 1 ms, one of a hundred for 7, one where ten times as
 * much is typed for as long as it may, and all of them longer in a process that has too much to do.
 * @param most never longer than this
 */
export function spacingOf ({ costMs, merged, load }: TickFigures, most: number): number {
  return Math.min(most, costMs * (gatherInCosts + gatherForEach * merged) * (1 + (load / loadThatDoubles) ** 2))
}

/** When a room ticks: at once after a quiet time; while it is busy, some time after the first thing that arrives, so that others can share its writes. */
export class TickPace {
  /** ms of a tick, averaged */
  #cost = 0
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
    this.#tickedAt = startedAt
    this.#cost += (endedAt - startedAt - this.#cost) * costWeight
    this.#spacing = spacingOf({ costMs: this.#cost, merged, load }, most)
  }
}
