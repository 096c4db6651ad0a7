import * as Y from 'yjs'
import type { SetAsideUpdate } from '../store/store.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { snapshotPieces, type Snapshot } from '../update/snapshot-pieces.ts'

/** A snapshot of what Yjs can apply, and what it cannot. */
export interface IsolatedSnapshot extends Snapshot {
  /** `index` counts from 0 in the updates that were given */
  readonly setAside: readonly (SetAsideUpdate & { readonly index: number })[]
}

/**
 * The state of a document without the updates that make Yjs throw, in pieces of at most `maxBytes`.
 * @throws MalformedUpdate for an update that does not decode
 */
export function isolate (updates: readonly Uint8Array[], maxBytes: number): IsolatedSnapshot {
  for (const update of updates) scanUpdate(update)
  const setAside = faultsOf(updates)
  const faulty = new Set(setAside.map(({ index }) => index))
  return { ...snapshotPieces(updates.filter((_, index) => !faulty.has(index)), maxBytes), setAside }
}

function faultsOf (updates: readonly Uint8Array[]): IsolatedSnapshot['setAside'] {
  const faults: IsolatedSnapshot['setAside'][number][] = []
  const good: Uint8Array[] = []
  let doc = new Y.Doc()
  for (const [index, update] of updates.entries()) {
    try {
      Y.applyUpdate(doc, update)
      good.push(update)
    } catch (error) {
      faults.push({ index, update, reason: error instanceof Error ? error.message : String(error) })
      // Yjs has stopped half-way through it.
      doc = new Y.Doc()
      for (const each of good) Y.applyUpdate(doc, each)
    }
  }
  return faults
}
