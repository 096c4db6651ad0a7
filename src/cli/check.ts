import { DamagedDocument, type Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import { snapshotPieces, type Snapshot } from '../update/snapshot-pieces.ts'
import type { Console } from './console.ts'
import { count } from './documents.ts'
import { plural } from './plural.ts'
import { placeOf, readDocument, updatesOf } from './read-document.ts'

/** Faults of one document that are printed one by one. */
const maxPrinted = 20

/** The updates of one document that are set aside. */
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
  /** Documents with a fault. */
  readonly faulty: ReadonlyArray<{ readonly name: string, readonly faults: readonly string[] }>
  readonly setAside: readonly SetAsideReport[]
}

/** Finds the updates of a document that have a fault. @throws MalformedUpdate */
type FindFaults = (updates: readonly Uint8Array[]) => Snapshot['setAside']

/**
 * Reads every byte of every document and builds it with Yjs, one at a time; reports updates set aside, too.
 * @returns the number of documents that have a fault, plus those that have updates set aside
 */
export async function check (
  store: Store,
  console: Console,
  { json = false }: { readonly json?: boolean } = {}
): Promise<number> {
  const report = await checkAll(store, console, (updates) => snapshotPieces(updates, pieceBytes).setAside)
  const { faulty, setAside } = report
  if (json) console.print(JSON.stringify(report))
  else print(report, console)
  if (faulty.length > 0) console.note('y-provider repair sets aside the updates that Yjs cannot apply and keeps the rest of the document')
  if (setAside.length > 0) console.note('y-provider discard-set-aside removes the updates set aside of the documents named')
  return faulty.length + setAside.length
}

/** Checks every checksum, and that every update decodes. @returns the number of documents with a fault */
export async function checkBytes (store: Store, console: Console): Promise<number> {
  const report = await checkAll(store, console, (updates) => {
    for (const update of updates) scanUnchecked(update)
    return []
  })
  print(report, console)
  return report.faulty.length
}

async function checkAll (store: Store, console: Console, findFaults: FindFaults): Promise<Report> {
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

function print ({ documents, bytes, faulty, setAside }: Report, console: Console): void {
  for (const { name, faults } of faulty) {
    for (const line of faults.slice(0, maxPrinted)) console.print(line)
    if (faults.length > maxPrinted) console.print(`Document ${JSON.stringify(name)}: and ${faults.length - maxPrinted} more`)
  }
  for (const { name, updates, bytes, latest, reasons } of setAside) {
    console.print(`Document ${JSON.stringify(name)} has ${plural(updates, 'update')} set aside (${plural(bytes, 'byte')}, the latest at ${latest}): ${reasons.join('; ')}`)
  }
  console.print(`${plural(documents, 'document')}, ${plural(bytes, 'byte')}, ${faulty.length} with a fault${setAside.length > 0 ? `, ${setAside.length} with updates set aside` : ''}`)
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

/** @throws every error that is not a fault of the document */
function faultOf (document: string, error: unknown): string {
  if (error instanceof DamagedDocument) return error.message
  if (error instanceof MalformedUpdate) return `Document ${JSON.stringify(document)}: ${error.message}`
  throw error
}
