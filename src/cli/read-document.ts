import type { SnapshotHead, Store, StoredDocument } from '../store/store.ts'

/** A whole document as it is stored at one moment. */
export interface WholeDocument extends StoredDocument {
  /** The pieces of its snapshot. */
  readonly pieces: readonly Uint8Array[]
}

/**
 * Reads a whole document; starts again if a compaction replaces the snapshot meanwhile.
 * @returns undefined if the document does not exist
 * @throws DamagedDocument
 */
export async function readDocument (store: Store, document: string): Promise<WholeDocument | undefined> {
  for (;;) {
    const stored = await store.load(document)
    if (!stored) return undefined
    const pieces = stored.snapshot ? await readPieces(store, document, stored.snapshot) : []
    if (pieces) return { ...stored, pieces }
  }
}

/** @returns undefined if the snapshot has been replaced */
async function readPieces (
  store: Store,
  document: string,
  { generation, pieces: count }: SnapshotHead
): Promise<Uint8Array[] | undefined> {
  const pieces: Uint8Array[] = []
  for (let index = 0; index < count; index++) {
    const piece = await store.readPiece(document, generation, index)
    if (!piece) return undefined
    pieces.push(piece)
  }
  return pieces
}

/** All updates of a document, in an order in which Yjs can apply them. */
export const updatesOf = ({ pieces, log }: WholeDocument): Uint8Array[] => [
  ...pieces,
  ...log.map(({ update }) => update),
]

/** The place in the store of the update that `updatesOf` returns at `index`. */
export function placeOf ({ pieces, log }: WholeDocument, index: number): string {
  return index < pieces.length ? `piece ${index} of its snapshot` : `entry ${log[index - pieces.length]?.seq} of its log`
}
