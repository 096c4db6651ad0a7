import type { SetAsideUpdate, Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { placeOf, readDocument, updatesOf } from './read-document.ts'

/** An update that was set aside, and where it was: `entry 7 of its log`. */
export interface Removed extends SetAsideUpdate {
  readonly place: string
}

/**
 * Writes a new snapshot of what Yjs can apply of a document; what it cannot apply is set aside, and `more` with it.
 * A document without either stays as it is.
 * @returns what was taken out of the document
 * @throws Error where there is no such document, or it cannot be read or written
 */
export async function setAside (store: Store, document: string, more: readonly SetAsideUpdate[] = []): Promise<readonly Removed[]> {
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
    // Where another node has written a snapshot meanwhile, this one is of what was before it.
    if (head) return setAside.map((removed) => ({ ...removed, place: placeOf(whole, removed.index) }))
  }
}
