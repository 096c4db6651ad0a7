import type { Store } from '../store/store.ts'
import { console } from './console.ts'
import { plural } from './plural.ts'

/** Removes for good the updates that are set aside of the documents named. @returns how many documents have none */
export async function discardSetAside (store: Store, documents: readonly string[]): Promise<number> {
  let without = 0
  for (const document of documents) {
    const removed = await store.removeSetAside(document)
    if (removed > 0) console.say(`Document ${JSON.stringify(document)}: ${plural(removed, 'update')} removed`)
    else {
      console.tell(`Document ${JSON.stringify(document)} has no updates set aside`)
      without++
    }
  }
  return without
}
