import { encodeUpdate } from '../../protocol/encode-message.ts'
import { sharedMessageBytes } from '../../protocol/frame.ts'
import type { Runs } from '../../update/scan-update.ts'

/** Somebody who is told when something is stored. */
export interface Receipt {
  /** @param count how many messages of its sender this is about */
  acknowledge (count: number): void
}

/** One tick's merged update: of this node's connections and on its way to the store, or relayed from other nodes, which store it. */
export interface RecentUpdate {
  /** Counts the room's ticks, from 1; the order in which the updates were sent out */
  readonly index: number
  readonly update: Uint8Array
  /** Where its structs lie: to tell whether it holds what a client lacks */
  readonly runs: Runs
  isStored: boolean
  /** Relayed: how many of the updates in it their nodes have not stored yet, as far as is known here; 0 = this node stores it */
  awaited: number
  /** Who is told when it is stored, once for each message */
  acknowledge: Receipt[]
  /** Encoded for clients, where it is so large that they share it */
  message: Uint8Array | undefined
}

/** An update as the message that brings it to clients. */
export function messageOf (recent: RecentUpdate): Uint8Array {
  if (recent.update.length < sharedMessageBytes) return encodeUpdate(recent.update)
  recent.message ??= encodeUpdate(recent.update)
  return recent.message
}

/** The newest updates of a room: all that are not stored yet, and those that some connection has still to be sent. */
export class RecentUpdates {
  #updates: RecentUpdate[] = []
  #lastIndex = 0
  #bytes = 0
  #unsaved = 0
  #relayed = 0
  /** Who is told once everything up to an index is stored */
  #waiting: Array<{ readonly index: number, readonly receipt: Receipt }> = []

  get lastIndex (): number { return this.#lastIndex }
  get bytes (): number { return this.#bytes }
  /** How many wait for the store here. */
  get unsaved (): number { return this.#unsaved }
  /** Whether all is stored, by this node or by others. */
  get areStored (): boolean { return this.#unsaved + this.#relayed === 0 }
  get all (): readonly RecentUpdate[] { return this.#updates }

  /** The first index that is not in the store; one above the last where all are. */
  get firstUnsavedIndex (): number {
    return this.#updates.find(({ isStored }) => !isStored)?.index ?? this.#lastIndex + 1
  }

  /** An update that this node stores. */
  add (update: Uint8Array, runs: Runs): RecentUpdate {
    this.#unsaved++
    return this.#push(update, runs, false, 0)
  }

  /** An update that other nodes store; `awaited` = 0: it came from the store. */
  addRelayed (update: Uint8Array, runs: Runs, awaited: number): RecentUpdate {
    if (awaited > 0) this.#relayed++
    return this.#push(update, runs, awaited === 0, awaited)
  }

  saved (recent: RecentUpdate): void {
    recent.isStored = true
    this.#unsaved--
    this.#settle()
  }

  /** A node has stored one of the updates in a relayed one. */
  confirmed (recent: RecentUpdate): void {
    if (recent.awaited === 0 || --recent.awaited > 0) return
    recent.isStored = true
    this.#relayed--
    this.#settle()
  }

  /** The node that was to store a relayed update is gone: this one does it. @returns whether it must be handed to the store */
  adopt (recent: RecentUpdate): boolean {
    if (recent.awaited === 0) return false
    recent.awaited = 0
    this.#relayed--
    this.#unsaved++
    return true
  }

  /** Tells, as soon as everything that is here now is stored. */
  acknowledgeWhenStored (receipt: Receipt): void {
    if (this.areStored) receipt.acknowledge(1)
    else this.#waiting.push({ index: this.#lastIndex, receipt })
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
      if (this.#bytes <= keepBytes || !recent.isStored || recent.index >= keepIndex) break
      this.#bytes -= recent.update.length
      count++
    }
    if (count > 0) this.#updates.splice(0, count)
  }

  #push (update: Uint8Array, runs: Runs, isStored: boolean, awaited: number): RecentUpdate {
    const recent: RecentUpdate = { index: ++this.#lastIndex, update, runs, isStored, awaited, acknowledge: [], message: undefined }
    this.#updates.push(recent)
    this.#bytes += update.length
    return recent
  }

  #settle (): void {
    if (this.#waiting.length === 0) return
    const first = this.firstUnsavedIndex
    const waiting = this.#waiting
    this.#waiting = []
    for (const next of waiting) {
      if (next.index < first) next.receipt.acknowledge(1)
      else this.#waiting.push(next)
    }
  }
}
