import type { FramedUpdate } from '../../protocol/framed-update.ts'
import type { Runs } from '../../update/scan-update.ts'

/** Sends updates, and is notified when they are stored. */
export interface UpdateSender {
  /** @param count messages of one sender that are stored */
  acknowledge (count: number): void
}

/** What is known of a merged update when it is sent out. */
export interface RecentUpdateOptions {
  readonly index: number
  readonly framed: FramedUpdate
  readonly runs: Runs
  readonly authors?: readonly string[]
  /** Updates in it that other nodes have not stored yet, as far as is known here; 0: this node stores it, or has */
  readonly awaited: number
  /** Whether the store has it already */
  readonly isStored: boolean
}

const nobody: readonly string[] = []

/**
 * A merged update of a tick: either of this node's connections and on its way to the store, or relayed from other
 * nodes, which store it. `RecentUpdates` holds them and changes their state.
 */
export class RecentUpdate {
  /** Counts the room's merged updates, from 1, in the order in which they were sent out */
  readonly index: number
  readonly framed: FramedUpdate
  /** Where its structs lie: shows whether it holds what a client lacks */
  readonly runs: Runs
  /** The user ids of those who have written it, as far as this node knows them */
  readonly authors: readonly string[]
  #isStored: boolean
  #awaited: number
  #senders: readonly UpdateSender[] = []

  constructor ({ index, framed, runs, authors = nobody, awaited, isStored }: RecentUpdateOptions) {
    this.index = index
    this.framed = framed
    this.runs = runs
    this.authors = authors
    this.#awaited = awaited
    this.#isStored = isStored
  }

  get isStored (): boolean { return this.#isStored }
  /** Whether other nodes are to store some of it. */
  get isAwaited (): boolean { return this.#awaited > 0 }
  /** Whether it waits for the store on this node. */
  get isUnsaved (): boolean { return !this.#isStored && this.#awaited === 0 }

  get update (): Uint8Array { return this.framed.update }
  /** The message that brings it to clients. */
  get message (): Uint8Array { return this.framed.message }

  /** @param senders to notify when it is stored, once for each message */
  notifyWhenStored (senders: readonly UpdateSender[]): void { this.#senders = senders }

  markStored (): void { this.#isStored = true }

  /** A node has stored one of its updates. @returns whether all are stored now */
  confirm (): boolean {
    if (this.#awaited === 0 || --this.#awaited > 0) return false
    this.#isStored = true
    return true
  }

  /** This node stores it instead of the others. */
  adopt (): void { this.#awaited = 0 }

  /** Notifies the senders. To be called once it is stored. */
  acknowledge (): void {
    if (this.#senders.length === 0) return
    const counts = new Map<UpdateSender, number>()
    for (const sender of this.#senders) counts.set(sender, (counts.get(sender) ?? 0) + 1)
    this.#senders = []
    for (const [sender, count] of counts) sender.acknowledge(count)
  }
}
