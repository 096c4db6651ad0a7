import type { Store } from '../store/store.ts'

/** How many documents there are, for a progress bar: reading their names costs little beside reading them. */
export async function count (store: Store): Promise<number> {
  const documents = store.list()[Symbol.asyncIterator]()
  let counted = 0
  while (!(await documents.next()).done) counted++
  return counted
}

/** The names that were given to a command, or those of all documents where it was given none. */
export async function * namesOr (wanted: readonly string[], store: Store): AsyncGenerator<string> {
  if (wanted.length > 0) yield * wanted
  else for await (const { document } of store.list()) yield document
}
