import { Durations } from '../logging/durations.ts'

/** What has happened since the process started; metrics read it. */
export interface Counts {
  /** Messages from clients */
  messages: number
  /** Updates from clients that were taken */
  updates: number
  /** Updates that held nothing new */
  repeats: number
  malformed: number
  /** Updates of clients that can only read */
  refused: number
  /** Awareness states that were dropped */
  awarenessDropped: number
  ticks: number
  framesWritten: number
  compactions: number
  /** Compactions that failed; the updates of some of these documents were merged instead */
  compactionFailures: number
  /** Stored updates that Yjs cannot apply and that were set aside */
  updatesSetAside: number
  /** Connections that fell behind and caught up later */
  resyncs: number
  /** Reads of the store for updates that other nodes have stored */
  logReads: number
}

/** Counts what happens in the engine. */
export class Counters {
  readonly #counts: Counts = {
    messages: 0,
    updates: 0,
    repeats: 0,
    malformed: 0,
    refused: 0,
    awarenessDropped: 0,
    ticks: 0,
    framesWritten: 0,
    compactions: 0,
    compactionFailures: 0,
    updatesSetAside: 0,
    resyncs: 0,
    logReads: 0,
  }

  get counts (): Readonly<Counts> { return this.#counts }

  /** Counts one event, or `times` of them. */
  count (event: keyof Counts, times = 1): void { this.#counts[event] += times }
}

/** How long the engine's work has taken since the process started, in ms; metrics read it. */
export interface EngineDurations {
  /** Transactions of the store that append updates, failed ones included */
  readonly commits: Durations
  /** For each merged update that this node stores: from the arrival of its first part until it is stored */
  readonly acknowledgements: Durations
  /** Rooms: from the first connection until the document can be sent */
  readonly openings: Durations
}

/** Durations without observations. */
export const newDurations = (): EngineDurations => ({
  commits: new Durations(),
  acknowledgements: new Durations(),
  openings: new Durations(),
})
