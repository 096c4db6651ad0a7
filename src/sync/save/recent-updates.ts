import type { FramedUpdate } from '../../protocol/framed-update.ts'
import type { Runs } from '../../update/scan-update.ts'
import { RecentUpdate, type RecentUpdateOptions, type UpdateSender } from './recent-update.ts'

/** The newest updates of a room: all that are not stored yet, and those that some connection has still to be sent. */
export class RecentUpdates {
  #updates: RecentUpdate[] = []
  #lastIndex = 0
  #bytes = 0
  #unsaved = 0
  #relayed = 0
  /** Senders to be notified once everything up to an index is stored */
  #waiting: Array<{ readonly index: number, readonly sender: UpdateSender }> = []

  get lastIndex (): number { return this.#lastIndex }
  get bytes (): number { return this.#bytes }
  /** How many wait for the store on this node. */
  get unsaved (): number { return this.#unsaved }
  /** Whether all are stored, by this node or by others. */
  get areStored (): boolean { return this.#unsaved + this.#relayed === 0 }
  get all (): readonly RecentUpdate[] { return this.#updates }

  /** The first index that is not stored; one above the last if all are. */
  get firstNotStoredIndex (): number {
    return this.#updates.find(({ isStored }) => !isStored)?.index ?? this.#lastIndex + 1
  }

  /** Adds an update that this node stores. @param authors user ids */
  add (framed: FramedUpdate, runs: Runs, authors: readonly string[]): RecentUpdate {
    this.#unsaved++
    return this.#push({ framed, runs, authors, awaited: 0, isStored: false })
  }

  /** Adds an update that other nodes store. @param awaited updates in it that are not stored yet */
  addRelayed (framed: FramedUpdate, runs: Runs, awaited: number): RecentUpdate {
    if (awaited > 0) this.#relayed++
    return this.#push({ framed, runs, awaited, isStored: awaited === 0 })
  }

  /** This node has stored an update. */
  saved (recent: RecentUpdate): void {
    recent.markStored()
    this.#unsaved--
    this.#settle()
  }

  /** Another node has stored one of the updates in a relayed one. */
  confirmed (recent: RecentUpdate): void {
    if (!recent.confirm()) return
    this.#relayed--
    this.#settle()
  }

  /**
   * Takes over a relayed update from a node that has crashed or lost its link.
   * @returns whether this node must store it
   */
  adopt (recent: RecentUpdate): boolean {
    if (!recent.isAwaited) return false
    recent.adopt()
    this.#relayed--
    this.#unsaved++
    return true
  }

  /** Notifies the sender once everything that is here now is stored. */
  acknowledgeWhenStored (sender: UpdateSender): void {
    if (this.areStored) sender.acknowledge(1)
    else this.#waiting.push({ index: this.#lastIndex, sender })
  }

  /** @returns the updates from `index` on; undefined if some of them are no longer in memory */
  since (index: number): readonly RecentUpdate[] | undefined {
    const first = this.#updates[0]?.index ?? this.#lastIndex + 1
    return index < first ? undefined : this.#updates.slice(index - first)
  }

  /** Drops stored updates, oldest first, down to `keepBytes` of them. */
  trim (keepBytes: number): void {
    let count = 0
    for (const { isStored, update } of this.#updates) {
      if (this.#bytes <= keepBytes || !isStored) break
      this.#bytes -= update.length
      count++
    }
    if (count > 0) this.#updates.splice(0, count)
  }

  #push (options: Omit<RecentUpdateOptions, 'index'>): RecentUpdate {
    const recent = new RecentUpdate({ ...options, index: ++this.#lastIndex })
    this.#updates.push(recent)
    this.#bytes += recent.update.length
    return recent
  }

  #settle (): void {
    if (this.#waiting.length === 0) return
    const first = this.firstNotStoredIndex
    const waiting = this.#waiting
    this.#waiting = []
    for (const next of waiting) {
      if (next.index < first) next.sender.acknowledge(1)
      else this.#waiting.push(next)
    }
  }
}
