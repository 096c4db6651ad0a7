/** Averages of a room's ticks. */
export interface TickFigures {
  /** ms that a tick takes; nearly all of it for writes, one for each socket, whatever their size */
  readonly costMs: number
  /** Updates and presences in a tick */
  readonly merged: number
  /** Share of the process's time that the ticks of all rooms take, 0 to 1 */
  readonly load: number
}

/** ms for which updates are gathered if a tick costs 1 ms. */
const gatherMs = 3.5
/** Additional ms for each update merged: the more a tick has saved, the more the next one can save. */
const gatherMsForEach = 1
/** Load at which the time is twice as long as in an idle process; it grows with the square of the load. */
const loadThatDoubles = 0.25
/**
 * Weight of one tick in the averages: neither a pause of the garbage collector nor three people who type at once must
 * slow a room down for long.
 */
const weightOfOne = 0.2
/** ms after which averages are discarded: other people may be in the room. */
const freshMs = 2000
/** Gathering times since the last tick after which a room counts as quiet, and ticks at once. */
const busyForSpacings = 4

/**
 * The time that a room gathers updates before a tick, in ms. A room of ten gathers for 1 to 2 ms, one of a hundred for
 * 6, one with ten times as many updates for `most`, and all of them longer in an overloaded process. The time grows
 * with the root of the cost: people notice a delay equally in a large room and on a slow machine.
 * @param most upper bound
 */
export function spacingOf ({ costMs, merged, load }: TickFigures, most: number): number {
  return Math.min(most, Math.sqrt(costMs) * (gatherMs + gatherMsForEach * merged) * (1 + (load / loadThatDoubles) ** 2))
}

/**
 * When a room ticks: at once after a quiet time; in a busy room some time after the first update, so that further
 * updates share its writes.
 */
export class TickPace {
  /** As in `TickFigures` */
  #costMs = 0
  #merged = 0
  #spacing = 0
  /** Engine time in ms when the last tick began */
  #tickedAt = -Infinity

  /** @returns engine time in ms when to tick for an update that arrives at `now` */
  dueAt (now: number): number {
    return now - this.#tickedAt < busyForSpacings * this.#spacing ? now + this.#spacing : now
  }

  /**
   * A tick has begun and ended, at these engine times in ms.
   * @param merged updates and presences in it
   * @param load share of the process's time that the ticks of all rooms take
   * @param most longest gathering time, in ms
   */
  ticked (startedAt: number, endedAt: number, merged: number, load: number, most: number): void {
    const weight = startedAt - this.#tickedAt > freshMs ? 1 : weightOfOne
    this.#tickedAt = startedAt
    this.#costMs += (endedAt - startedAt - this.#costMs) * weight
    this.#merged += (merged - this.#merged) * weight
    this.#spacing = spacingOf({ costMs: this.#costMs, merged: this.#merged, load }, most)
  }
}
