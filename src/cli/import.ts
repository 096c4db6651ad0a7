import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import type { Console } from './console.ts'
import { documentName, readIndex } from './document-file.ts'
import { formats, type DocumentFormat } from './formats.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf, type WholeDocument } from './read-document.ts'
import { reasonOf } from './reason.ts'

/** How files are imported. */
export interface ImportOptions {
  /** Whether to merge a file into a document that exists, instead of leaving the document unchanged. */
  readonly merge: boolean
  /** Whether to read math as nodes of its own, see `CONVERSION_MATH`. */
  readonly math: boolean
}

interface File {
  readonly path: string
  readonly document: string
  readonly format: DocumentFormat
}

/**
 * Reads documents from files, or from all files of folders.
 * @returns the number of files that could not be read
 */
export async function importDocuments (
  store: Store,
  console: Console,
  paths: readonly string[],
  options: ImportOptions
): Promise<number> {
  const files = (await Promise.all(paths.map(filesAt))).flat()
  const progress = console.progress('importing', files.length)
  const counts = { made: 0, merged: 0, unchanged: 0, faulty: 0 }
  for (const file of files) {
    counts[await importFile(store, console, file, options)]++
    progress.step()
  }
  progress.end()
  console.print(`${plural(counts.made, 'document')} created, ${counts.merged} merged, ${counts.unchanged} left unchanged, ${plural(counts.faulty, 'file')} could not be read`)
  return counts.faulty
}

async function importFile (
  store: Store,
  console: Console,
  { path, document, format }: File,
  { merge, math }: ImportOptions
): Promise<'made' | 'merged' | 'unchanged' | 'faulty'> {
  let update: Uint8Array
  try {
    update = await format.decode(await readFile(path), math)
    assertApplies(update, merge ? await readDocument(store, document) : undefined)
  } catch (error) {
    console.note(`${path}: ${reasonOf(error)}`)
    return 'faulty'
  }
  if (await store.create(document, update) !== undefined) return 'made'
  if (!merge) {
    console.note(`${path}: document ${JSON.stringify(document)} exists already (use --merge to merge the file into it)`)
    return 'unchanged'
  }
  await store.append([{ document, update }])
  return 'merged'
}

/** @throws MalformedUpdate or Error if Yjs cannot apply the update to the document */
function assertApplies (update: Uint8Array, document: WholeDocument | undefined): void {
  scanUpdate(update)
  const existing = document === undefined ? [] : updatesOf(document)
  const fault = snapshotPieces(
    [...existing, update],
    pieceBytes
  ).setAside.find(({ index }) => index === existing.length)
  if (fault !== undefined) throw new Error(`Yjs cannot apply it: ${fault.reason}`)
}

async function filesAt (path: string): Promise<File[]> {
  const isFolder = (await stat(path)).isDirectory()
  const folder = isFolder ? path : dirname(path)
  const index = await readIndex(folder)
  const found = isFolder ? (await readdir(folder)).sort() : [basename(path)]
  return found.flatMap((file) => {
    const format = [...formats.values()].find(({ extension }) => file.endsWith(extension))
    if (format === undefined && isFolder) return []
    if (format === undefined) throw new Error(`${path}: only files of these types can be imported: ${extensions()}`)
    return [{ path: join(folder, file), document: index.get(file) ?? documentName(file, format.extension), format }]
  })
}

const extensions = (): string => [...formats.values()].map(({ extension }) => extension).join(', ')
