import type { ScannedUpdate } from '../../update/scan-update.ts'
import type { AwaitedUpdate } from './awaited-update.ts'

/** An update for this room's connections that this node need not store. */
export interface RelayedUpdate {
  readonly scanned: ScannedUpdate
  /** undefined: it comes from the store */
  readonly awaited: AwaitedUpdate | undefined
}

/** Updates from other nodes, or from the store, that wait for the room's next tick. */
export class RelayedUpdates {
  #updates: RelayedUpdate[] = []

  get count (): number { return this.#updates.length }
  get all (): readonly ScannedUpdate[] { return this.#updates.map(({ scanned }) => scanned) }

  /** @param awaited the same update, if another node is to store it */
  add (scanned: ScannedUpdate, awaited?: AwaitedUpdate): void { this.#updates.push({ scanned, awaited }) }

  /** Removes all of them. @returns them in order */
  take (): readonly RelayedUpdate[] {
    const updates = this.#updates
    this.#updates = []
    return updates
  }

  /**
   * Removes those of a node that has crashed or lost its link.
   * @param orphans updates that it had not reported as stored
   */
  takeOrphans (orphans: ReadonlySet<AwaitedUpdate>): ScannedUpdate[] {
    const isOrphan = ({ awaited }: RelayedUpdate): boolean => awaited !== undefined && orphans.has(awaited)
    const taken = this.#updates.filter(isOrphan)
    this.#updates = this.#updates.filter((update) => !isOrphan(update))
    return taken.map(({ scanned }) => scanned)
  }
}
