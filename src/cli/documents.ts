import type { Store } from '../store/store.ts'

/** Counts the documents for a progress bar: listing them costs little compared with reading them. */
export async function count (store: Store): Promise<number> {
  const documents = store.list()[Symbol.asyncIterator]()
  let counted = 0
  while (!(await documents.next()).done) counted++
  return counted
}

/** The names given to a command; if there are none, those of all documents. */
export async function * namesOr (wanted: readonly string[], store: Store): AsyncGenerator<string> {
  if (wanted.length > 0) yield * wanted
  else for await (const { document } of store.list()) yield document
}
