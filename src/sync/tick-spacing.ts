/** What a tick carried and cost. */
export interface TickFigures {
  /** ms of a tick of this room, averaged; nearly all of it the writes, one for each socket, however much they carry */
  readonly costMs: number
  /** Updates and presences that went into it */
  readonly merged: number
  /** Share of the process's time that the ticks of all rooms take, 0 to 1 */
  readonly load: number
}

/** Pause after a tick, in times of its cost: so one room takes at most some twentieth of the process's time. */
const pauseInCosts = 16
/** The same for each thing merged: the more a tick has saved, the more the next one may save. */
const pauseForEach = 2
/** Load at which the pauses are twice as long as in an idle process; they grow with its square. */
const loadThatDoubles = 0.25

/**
 * How long a room pauses after a tick, in ms. A room of ten pauses for 2 ms, one of a hundred for 20, one where ten times as
 * much is typed for as long as it may, and all of them longer in a process that has too much to do.
 * @param most never longer than this
 */
export function spacingOf ({ costMs, merged, load }: TickFigures, most: number): number {
  return Math.min(most, costMs * (pauseInCosts + pauseForEach * merged) * (1 + (load / loadThatDoubles) ** 2))
}
