import type { Store } from '../store/store.ts'

/** How many documents there are, for a progress bar: reading their names costs little beside reading them. */
export async function count (store: Store): Promise<number> {
  const documents = store.list()[Symbol.asyncIterator]()
  let counted = 0
  while (!(await documents.next()).done) counted++
  return counted
}
