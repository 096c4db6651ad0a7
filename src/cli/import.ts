import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { console } from './console.ts'
import { documentName, readIndex } from './document-file.ts'
import { formats, type DocumentFormat } from './formats.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf, type WholeDocument } from './read-document.ts'
import { reasonOf } from './reason.ts'

interface File {
  readonly path: string
  readonly document: string
  readonly format: DocumentFormat
}

/**
 * Reads documents from files, or from all files of folders. What exists already is left as it is, or merged with on request.
 * @returns how many files could not be read in
 */
export async function importDocuments (store: Store, paths: readonly string[], { merge }: { merge: boolean }): Promise<number> {
  const files = (await Promise.all(paths.map(filesAt))).flat()
  const progress = console.progress('importing', files.length)
  const counts = { made: 0, merged: 0, left: 0, faulty: 0 }
  for (const file of files) {
    counts[await importFile(store, file, merge)]++
    progress.step()
  }
  progress.end()
  console.say(`${plural(counts.made, 'document')} made, ${counts.merged} merged, ${counts.left} left unchanged, ${plural(counts.faulty, 'file')} could not be read`)
  return counts.faulty
}

async function importFile (store: Store, { path, document, format }: File, merge: boolean): Promise<'made' | 'merged' | 'left' | 'faulty'> {
  let update: Uint8Array
  try {
    update = await format.decode(await readFile(path))
    assertApplies(update, merge ? await readDocument(store, document) : undefined)
  } catch (error) {
    console.tell(`${path}: ${reasonOf(error)}`)
    return 'faulty'
  }
  if (await store.create(document, update)) return 'made'
  if (!merge) {
    console.tell(`${path}: document ${JSON.stringify(document)} exists already (--merge adds to it)`)
    return 'left'
  }
  await store.append([{ document, update }])
  return 'merged'
}

/** @throws MalformedUpdate or Error for what Yjs cannot apply to the document */
function assertApplies (update: Uint8Array, document: WholeDocument | undefined): void {
  scanUpdate(update)
  const existing = document === undefined ? [] : updatesOf(document)
  const fault = snapshotPieces([...existing, update], pieceBytes).setAside.find(({ index }) => index === existing.length)
  if (fault !== undefined) throw new Error(`Yjs cannot apply it: ${fault.reason}`)
}

async function filesAt (path: string): Promise<File[]> {
  const isFolder = (await stat(path)).isDirectory()
  const folder = isFolder ? path : dirname(path)
  const index = await readIndex(folder)
  const found = isFolder ? (await readdir(folder)).sort() : [basename(path)]
  return found.flatMap((file) => {
    const format = [...formats.values()].find(({ extension }) => file.endsWith(extension))
    if (format) return [{ path: join(folder, file), document: index.get(file) ?? documentName(file, format.extension), format }]
    if (!isFolder) throw new Error(`${path}: a file of this kind cannot be imported (${[...formats.values()].map(({ extension }) => extension).join(', ')})`)
    return []
  })
}
