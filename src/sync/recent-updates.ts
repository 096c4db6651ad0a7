import type { ClientRun } from '../update/scan-update.ts'
import type { Connection } from './connection.ts'

/** One tick's merged update on its way to the store. */
export interface RecentUpdate {
  /** Counts the room's ticks, from 1; the order in which the updates were sent out */
  readonly index: number
  readonly update: Uint8Array
  /** Where its structs lie: to tell whether it holds what a client lacks */
  readonly runs: readonly ClientRun[]
  /** Position in the store's log, once it is stored */
  seq: number | undefined
  /** Who is told when it is stored, once for each message */
  acknowledge: Connection[]
}

/** The newest updates of a room: all that are not stored yet, and those that some connection has still to be sent. */
export class RecentUpdates {
  #updates: RecentUpdate[] = []
  #lastIndex = 0
  #bytes = 0
  #unsaved = 0

  get lastIndex (): number { return this.#lastIndex }
  get bytes (): number { return this.#bytes }
  get unsaved (): number { return this.#unsaved }
  get all (): readonly RecentUpdate[] { return this.#updates }
  get last (): RecentUpdate | undefined { return this.#updates.at(-1) }

  /** The first index that is not in the store; one above the last where all are. */
  get firstUnsavedIndex (): number {
    return this.#updates.find((recent) => recent.seq === undefined)?.index ?? this.#lastIndex + 1
  }

  add (update: Uint8Array, runs: readonly ClientRun[], acknowledge: Connection[]): RecentUpdate {
    const recent: RecentUpdate = { index: ++this.#lastIndex, update, runs, seq: undefined, acknowledge }
    this.#updates.push(recent)
    this.#bytes += update.length
    this.#unsaved++
    return recent
  }

  saved (recent: RecentUpdate, seq: number): void {
    recent.seq = seq
    this.#unsaved--
  }

  /** @returns the updates from `index` on, or undefined where some of them are no longer here */
  since (index: number): readonly RecentUpdate[] | undefined {
    const first = this.#updates[0]?.index ?? this.#lastIndex + 1
    return index < first ? undefined : this.#updates.slice(index - first)
  }

  /** Lets go of stored updates, oldest first, down to `keepBytes` of them and never beyond `keepIndex`. */
  trim (keepBytes: number, keepIndex: number): void {
    let count = 0
    for (const recent of this.#updates) {
      if (this.#bytes <= keepBytes || recent.seq === undefined || recent.index >= keepIndex) break
      this.#bytes -= recent.update.length
      count++
    }
    if (count > 0) this.#updates.splice(0, count)
  }
}
