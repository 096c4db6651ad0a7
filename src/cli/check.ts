import { DamagedDocument, type Store } from '../store/store.ts'
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

/** Updates of a document that are set aside. */
interface SetAsideReport {
  readonly name: string
  readonly updates: number
  readonly bytes: number
  readonly latest: string
  readonly reasons: readonly string[]
}

/** The result of checking a store. */
interface Report {
  readonly documents: number
  readonly bytes: number
  /** Documents with a fault */
  readonly faulty: ReadonlyArray<{ readonly name: string, readonly faults: readonly string[] }>
  readonly setAside: readonly SetAsideReport[]
}

/** Finds out which updates of a document have a fault. @throws MalformedUpdate */
type FindFaults = (updates: readonly Uint8Array[]) => Snapshot['setAside']

/**
 * Reads every byte of every document and builds it with Yjs, one at a time; what is set aside is named too.
 * @returns how many documents have a fault or updates set aside
 */
export async function check (store: Store, { json = false }: { readonly json?: boolean } = {}): Promise<number> {
  const report = await checkAll(store, (updates) => snapshotPieces(updates, pieceBytes).setAside)
  const { faulty, setAside } = report
  if (json) console.say(JSON.stringify(report))
  else print(report)
  if (faulty.length > 0) console.tell('y-provider repair sets aside what Yjs cannot apply and keeps the rest of the document')
  if (setAside.length > 0) console.tell('y-provider discard-set-aside removes the updates set aside of the documents that it is given')
  return faulty.length + setAside.length
}

/** Reads every byte of every document: checksums, and whether each update decodes. @returns how many documents have a fault */
export async function checkBytes (store: Store): Promise<number> {
  const report = await checkAll(store, (updates) => {
    for (const update of updates) scanUnchecked(update)
    return []
  })
  print(report)
  return report.faulty.length
}

async function checkAll (store: Store, findFaults: FindFaults): Promise<Report> {
  const progress = console.progress('checking', await count(store))
  let documents = 0
  let bytes = 0
  const faulty: Array<Report['faulty'][number]> = []
  const setAside: SetAsideReport[] = []
  for await (const info of store.list()) {
    const { document: name } = info
    try {
      const whole = await readDocument(store, name)
      if (whole) {
        const updates = updatesOf(whole)
        bytes += updates.reduce((sum, { length }) => sum + length, 0)
        const faults = findFaults(updates).map(({ index, reason }) => `Document ${JSON.stringify(name)}: Yjs cannot apply ${placeOf(whole, index)}: ${reason}`)
        if (info.setAside > 0) setAside.push(await reportSetAside(store, name))
        if (faults.length > 0) faulty.push({ name, faults })
      }
    } catch (error) {
      faulty.push({ name, faults: [faultOf(name, error)] })
    }
    documents++
    progress.step()
  }
  progress.end()
  return { documents, bytes, faulty, setAside }
}

function print ({ documents, bytes, faulty, setAside }: Report): void {
  for (const { name, faults } of faulty) {
    for (const line of faults.slice(0, MAX_NAMED)) console.say(line)
    if (faults.length > MAX_NAMED) console.say(`Document ${JSON.stringify(name)}: and ${faults.length - MAX_NAMED} more`)
  }
  for (const { name, updates, bytes, latest, reasons } of setAside) {
    console.say(`Document ${JSON.stringify(name)} has ${plural(updates, 'update')} set aside (${plural(bytes, 'byte')}, the latest at ${latest}): ${reasons.join('; ')}`)
  }
  console.say(`${plural(documents, 'document')}, ${plural(bytes, 'byte')}, ${faulty.length} with a fault${setAside.length > 0 ? `, ${setAside.length} with updates set aside` : ''}`)
}

/** @throws DamagedDocument */
async function reportSetAside (store: Store, name: string): Promise<SetAsideReport> {
  const updates = await store.setAside(name)
  return {
    name,
    updates: updates.length,
    bytes: updates.reduce((sum, { update }) => sum + update.length, 0),
    latest: new Date(updates.reduce((last, { at }) => Math.max(last, at), 0)).toISOString(),
    reasons: [...new Set(updates.map(({ reason }) => reason))],
  }
}

/** @throws what is no fault of the document */
function faultOf (document: string, error: unknown): string {
  if (error instanceof DamagedDocument) return error.message
  if (error instanceof MalformedUpdate) return `Document ${JSON.stringify(document)}: ${error.message}`
  throw error
}
