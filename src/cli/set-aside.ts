import type { SetAsideUpdate, Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { placeOf, readDocument, updatesOf } from './read-document.ts'

/** An update that was set aside, and its former place: `entry 7 of its log`. */
export interface Removed extends SetAsideUpdate {
  readonly place: string
}

/**
 * Writes a new snapshot from the updates that Yjs can apply, and sets aside the others and `more`. A document that has
 * nothing to set aside stays unchanged.
 * @returns the updates that were taken out of the document
 * @throws Error if the document does not exist, or cannot be read or written
 */
export async function setAside (
  store: Store,
  document: string,
  more: readonly SetAsideUpdate[] = []
): Promise<readonly Removed[]> {
  for (;;) {
    const whole = await readDocument(store, document)
    if (!whole) throw new Error('There is no such document')
    const { pieces, known, setAside } = snapshotPieces(updatesOf(whole), pieceBytes)
    if (setAside.length === 0 && more.length === 0) return []
    const head = await store.compact(document, {
      replaces: whole.snapshot?.generation ?? 0,
      upTo: whole.lastSeq,
      pieces,
      known: known.encode(),
      setAside: [...setAside, ...more],
    })
    // If another node has replaced the snapshot meanwhile, this one is outdated.
    if (head) return setAside.map((removed) => ({ ...removed, place: placeOf(whole, removed.index) }))
  }
}
