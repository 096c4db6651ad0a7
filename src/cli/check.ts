import { DamagedDocument, type DocumentInfo, type Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import { snapshotPieces, type Snapshot } from '../update/snapshot-pieces.ts'
import { console } from './console.ts'
import { count } from './documents.ts'
import { plural } from './plural.ts'
import { placeOf, readDocument, updatesOf } from './read-document.ts'

/** Entries of one document that are named one by one. */
const MAX_NAMED = 20

/** How many documents have a fault, and how many have updates set aside. */
interface Result {
  readonly faulty: number
  readonly withSetAside: number
}

/** Finds out which updates of a document have a fault. @throws MalformedUpdate */
type FindFaults = (updates: readonly Uint8Array[]) => Snapshot['setAside']

/**
 * Reads every byte of every document and builds it with Yjs, one at a time; what is set aside is named too.
 * @returns how many documents have a fault or updates set aside
 */
export async function check (store: Store): Promise<number> {
  const { faulty, withSetAside } = await checkAll(store, (updates) => snapshotPieces(updates, pieceBytes).setAside)
  if (faulty > 0) console.tell('y-provider repair sets aside what Yjs cannot apply and keeps the rest of the document')
  if (withSetAside > 0) console.tell('y-provider discard-set-aside removes the updates set aside of the documents that it is given')
  return faulty + withSetAside
}

/** Reads every byte of every document: checksums, and whether each update decodes. @returns how many documents have a fault */
export async function checkBytes (store: Store): Promise<number> {
  const { faulty } = await checkAll(store, (updates) => {
    for (const update of updates) scanUnchecked(update)
    return []
  })
  return faulty
}

async function checkAll (store: Store, findFaults: FindFaults): Promise<Result> {
  const progress = console.progress('checking', await count(store))
  let documents = 0
  let bytes = 0
  const faults = new Map<string, string[]>()
  const setAside: string[] = []
  for await (const info of store.list()) {
    const { document } = info
    try {
      const whole = await readDocument(store, document)
      if (whole) {
        const updates = updatesOf(whole)
        bytes += updates.reduce((sum, { length }) => sum + length, 0)
        const lines = findFaults(updates).map(({ index, reason }) => `Document ${JSON.stringify(document)}: Yjs cannot apply ${placeOf(whole, index)}: ${reason}`)
        if (lines.length > 0) faults.set(document, lines)
      }
      if (info.setAside > 0) setAside.push(await describeSetAside(store, info))
    } catch (error) {
      faults.set(document, [faultOf(document, error)])
    }
    documents++
    progress.step()
  }
  progress.end()
  for (const [document, lines] of faults) {
    for (const line of lines.slice(0, MAX_NAMED)) console.say(line)
    if (lines.length > MAX_NAMED) console.say(`Document ${JSON.stringify(document)}: and ${lines.length - MAX_NAMED} more`)
  }
  for (const line of setAside) console.say(line)
  console.say(`${plural(documents, 'document')}, ${plural(bytes, 'byte')}, ${faults.size} with a fault${setAside.length > 0 ? `, ${setAside.length} with updates set aside` : ''}`)
  return { faulty: faults.size, withSetAside: setAside.length }
}

/** @throws DamagedDocument */
async function describeSetAside (store: Store, { document }: DocumentInfo): Promise<string> {
  const updates = await store.setAside(document)
  const bytes = updates.reduce((sum, { update }) => sum + update.length, 0)
  const latest = new Date(updates.reduce((last, { at }) => Math.max(last, at), 0))
  const reasons = [...new Set(updates.map(({ reason }) => reason))]
  return `Document ${JSON.stringify(document)} has ${plural(updates.length, 'update')} set aside (${plural(bytes, 'byte')}, the latest at ${latest.toISOString()}): ${reasons.join('; ')}`
}

/** @throws what is no fault of the document */
function faultOf (document: string, error: unknown): string {
  if (error instanceof DamagedDocument) return error.message
  if (error instanceof MalformedUpdate) return `Document ${JSON.stringify(document)}: ${error.message}`
  throw error
}
