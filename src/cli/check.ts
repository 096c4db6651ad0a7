import { DamagedDocument, type Store } from '../store/store.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { count } from './count.ts'
import { console } from './console.ts'
import { readDocument, updatesOf } from './read-document.ts'

/** Reads every byte of every document: checksums, and whether each update decodes. @returns how many documents have a fault */
export async function check (store: Store): Promise<number> {
  const progress = console.progress('checking', await count(store))
  let documents = 0
  let bytes = 0
  const faults: string[] = []
  for await (const { document } of store.list()) {
    try {
      const whole = await readDocument(store, document)
      for (const update of whole ? updatesOf(whole) : []) {
        scanUpdate(update)
        bytes += update.length
      }
    } catch (error) {
      faults.push(faultOf(document, error))
    }
    documents++
    progress.step()
  }
  progress.end()
  for (const fault of faults) console.say(fault)
  console.say(`${documents} documents, ${bytes} bytes, ${faults.length} with a fault`)
  return faults.length
}

/** @throws what is no fault of the document */
function faultOf (document: string, error: unknown): string {
  if (error instanceof DamagedDocument) return error.message
  if (error instanceof MalformedUpdate) return `Document ${JSON.stringify(document)}: ${error.message}`
  throw error
}
