import type { Store } from '../store/store.ts'
import type { Console } from './console.ts'
import { count, namesOr } from './documents.ts'
import { plural } from './plural.ts'
import { reasonOf } from './reason.ts'
import { setAside } from './set-aside.ts'

/**
 * Sets aside the updates that Yjs cannot apply, and keeps the rest of each document.
 * @param wanted names of documents; empty: all documents
 * @returns the number of documents that could not be repaired
 */
export async function repair (store: Store, console: Console, wanted: readonly string[]): Promise<number> {
  const progress = console.progress('repairing', wanted.length || await count(store))
  const repaired: string[] = []
  const faults: string[] = []
  let documents = 0
  for await (const document of namesOr(wanted, store)) {
    try {
      const removed = await setAside(store, document)
      const places = removed.map(({ place, reason }) => `${place} (${reason})`)
      if (removed.length > 0) repaired.push(`Document ${JSON.stringify(document)}: ${plural(removed.length, 'update')} set aside, the rest is kept: ${places.join(', ')}`)
    } catch (error) {
      faults.push(`${JSON.stringify(document)}: ${reasonOf(error)}`)
    }
    documents++
    progress.step()
  }
  progress.end()
  for (const line of repaired) console.print(line)
  for (const fault of faults) console.note(fault)
  console.print(`${plural(documents, 'document')}, ${repaired.length} repaired, ${faults.length} could not be read or written`)
  return faults.length
}
