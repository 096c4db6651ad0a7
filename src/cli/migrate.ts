import { createHash } from 'node:crypto'
import type { SetAsideUpdate, Store } from '../store/store.ts'
import { Known } from '../update/known.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import type { Console } from './console.ts'
import { count } from './documents.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf, type WholeDocument } from './read-document.ts'
import { reasonOf } from './reason.ts'
import { setAside } from './set-aside.ts'

/** Bytes of updates in one call of the target store; a larger update has a call of its own. */
const chunkBytes = 4 << 20

/**
 * Copies all documents from one store to another, with the updates set aside. A document that exists in the target gets
 * what it lacks, so the command can be run again after an interruption, or once the old service has stopped. Each copy
 * is read back and compared. Nothing is removed from either store.
 * @returns the number of documents that could not be copied
 */
export async function migrate (from: Store, to: Store, console: Console): Promise<number> {
  const progress = console.progress('copying', await count(from))
  const counts = { copied: 0, completed: 0, same: 0 }
  const faults: string[] = []
  for await (const { document } of from.list()) {
    try {
      const result = await copyDocument(from, to, document)
      if (result) counts[result]++
    } catch (error) {
      faults.push(`${JSON.stringify(document)}: ${reasonOf(error)}`)
    }
    progress.step()
  }
  progress.end()
  for (const fault of faults) console.note(fault)
  console.print(`${plural(counts.copied, 'document')} copied, ${counts.completed} completed, ${counts.same} unchanged, ${faults.length} could not be copied`)
  return faults.length
}

async function copyDocument (from: Store, to: Store, document: string): Promise<'copied' | 'completed' | 'same' | undefined> {
  const source = await readDocument(from, document)
  if (!source) return undefined
  const before = await readDocument(to, document)
  const missing = missingFrom(before, source)
  const missingAside = await missingSetAside(from, to, document)
  if (before && missing.length === 0 && missingAside.length === 0) return 'same'
  const authors = await from.authors(document, 0)
  if (before) await appendAll(to, document, missing, authors)
  else await copyWhole(to, document, source, authors)
  if (missingAside.length > 0) await setAside(to, document, missingAside)
  const left = missingFrom(
    await readDocument(to, document),
    source
  ).length + (await missingSetAside(from, to, document)).length
  if (left > 0) throw new Error(`${plural(left, 'update')} missing after the copy`)
  return before ? 'completed' : 'copied'
}

/** The updates that are set aside in `from` and not in `to`. */
async function missingSetAside (from: Store, to: Store, document: string): Promise<SetAsideUpdate[]> {
  const source = await from.setAside(document)
  if (source.length === 0) return []
  const there = new Set((await to.setAside(document)).map(({ update }) => fingerprint(update)))
  return source.filter(({ update }) => !there.has(fingerprint(update)))
}

const fingerprint = (update: Uint8Array): string => createHash('sha256').update(update).digest('base64')

/** The updates of `source` that add something to `target`, judged by the content and not by the stored state vector. */
function missingFrom (target: WholeDocument | undefined, source: WholeDocument): Uint8Array[] {
  const known = new Known()
  for (const update of target ? updatesOf(target) : []) known.add(scanUnchecked(update))
  return updatesOf(source).filter((update) => !target || !known.contains(scanUnchecked(update)))
}

/** Copies a document that the target lacks: appends the snapshot's pieces as updates, then makes them the snapshot. */
async function copyWhole (
  to: Store,
  document: string,
  { snapshot, pieces, log }: WholeDocument,
  authors: readonly string[]
): Promise<void> {
  const upTo = await appendAll(to, document, pieces, log.length > 0 ? [] : authors)
  await appendAll(to, document, log.map(({ update }) => update), authors)
  if (snapshot && upTo !== undefined) await to.compact(document, { replaces: 0, upTo, pieces, known: snapshot.known })
}

/**
 * Appends updates in chunks, since a large document does not fit one statement.
 * @param authors remembered with the last update, since the numbers of the other store mean nothing here
 * @returns the last sequence number
 */
async function appendAll (
  to: Store,
  document: string,
  updates: readonly Uint8Array[],
  authors: readonly string[]
): Promise<number | undefined> {
  let last: number | undefined
  for (let from = 0; from < updates.length;) {
    let end = from
    let bytes = 0
    do bytes += updates[end++]?.length ?? 0
    while (end < updates.length && bytes < chunkBytes)
    const entries = updates.slice(from, end).map((update, at) => {
      return { document, update, authors: from + at === updates.length - 1 ? authors : [] }
    })
    const seqs = await to.append(entries)
    last = seqs.at(-1)
    from = end
  }
  return last
}
