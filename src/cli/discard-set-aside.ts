import type { Store } from '../store/store.ts'
import type { Console } from './console.ts'
import { plural } from './plural.ts'

/** Permanently removes the updates set aside of these documents. @returns the number of documents that have none */
export async function discardSetAside (store: Store, console: Console, documents: readonly string[]): Promise<number> {
  let without = 0
  for (const document of documents) {
    const removed = await store.removeSetAside(document)
    if (removed > 0) console.print(`Document ${JSON.stringify(document)}: ${plural(removed, 'update')} removed`)
    else {
      console.note(`Document ${JSON.stringify(document)} has no updates set aside`)
      without++
    }
  }
  return without
}
