import * as Y from 'yjs'
import type { Store } from '../../src/store/store.ts'

/** The text `text` of a stored document. */
export async function storedText (store: Store, name: string): Promise<string> {
  const doc = new Y.Doc()
  const stored = await store.load(name)
  for (let index = 0; index < (stored?.snapshot?.pieces ?? 0); index++) {
    const piece = await store.readPiece(name, stored?.snapshot?.generation ?? 0, index)
    if (piece !== undefined) Y.applyUpdate(doc, piece)
  }
  for (const { update } of stored?.log ?? []) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}
