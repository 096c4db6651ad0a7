import { maxSpacingMs } from './tick-clock.ts'

/** What a tick carried and cost. */
export interface TickFigures {
  /** ms of a tick of this room, averaged; nearly all of it the writes, one for each socket, however much they carry */
  readonly costMs: number
  /** Updates of the document that went into it */
  readonly updates: number
  /** Clients whose presence it told */
  readonly presences: number
  /** Share of the process's time that the ticks of all rooms take, 0 to 1 */
  readonly load: number
}

/** Pause after a tick, in times of its cost. With text it only keeps a room from filling the process; a cursor may wait longer. */
const pauseAfterText = 3
const pauseAfterPresence = 20
/** The same for each thing merged: the more a tick has saved the more the next one may save. */
const pauseForEach = 2
/** Load at which the pauses are twice as long as in an idle process; they grow with its square. */
const loadThatDoubles = 0.25

/**
 * How long a room pauses after a tick, in ms; at most `maxSpacingMs`. A room of 100 where somebody types every 10 ms goes on at
 * once, as a relay would; with ten times as much it settles at 50 ms, and so do all rooms of a process that has too much to do.
 */
export function spacingOf ({ costMs, updates, presences, load }: TickFigures): number {
  const pause = (updates > 0 ? pauseAfterText : pauseAfterPresence) + pauseForEach * (updates + presences)
  return Math.min(maxSpacingMs, costMs * pause * (1 + (load / loadThatDoubles) ** 2))
}
