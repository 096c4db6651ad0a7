import { appendFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder } from '../store/make-folder.ts'
import type { Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { console } from './console.ts'
import { fileName, INDEX_FILE, type IndexLine } from './document-file.ts'
import { count, namesOr } from './documents.ts'
import type { DocumentFormat } from './formats.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf } from './read-document.ts'

/**
 * Writes documents to files of a folder, those named or all, each with its whole state as one; without the updates that
 * Yjs cannot apply, which would make the whole file useless.
 * @returns how many could not be written
 */
export async function exportDocuments (store: Store, folder: string, format: DocumentFormat, wanted: readonly string[]): Promise<number> {
  await makeFolder(resolve(folder))
  const progress = console.progress('exporting', wanted.length || await count(store))
  const faults: string[] = []
  const partial: string[] = []
  let written = 0
  for await (const document of namesOr(wanted, store)) {
    try {
      const leftOut = await exportDocument(store, folder, format, document)
      if (leftOut > 0) partial.push(`${JSON.stringify(document)}: left out ${plural(leftOut, 'update')} that Yjs cannot apply`)
      written++
    } catch (error) {
      faults.push(`${JSON.stringify(document)}: ${error instanceof Error ? error.message : String(error)}`)
    }
    progress.step()
  }
  progress.end()
  for (const line of [...partial, ...faults]) console.tell(line)
  console.say(`${plural(written, 'document')} written to ${folder}, ${faults.length} not`)
  return faults.length
}

/** @returns how many updates were left out */
async function exportDocument (store: Store, folder: string, format: DocumentFormat, document: string): Promise<number> {
  const whole = await readDocument(store, document)
  if (!whole) throw new Error('There is no such document')
  const stored = updatesOf(whole)
  const { pieces, setAside } = snapshotPieces(stored, pieceBytes)
  // What is stored keeps more than what was built of it: that is for when it must be.
  const updates = setAside.length > 0 ? pieces : stored
  const content = await format.encode(mergeUpdates(updates.map(scanUnchecked)))
  const file = fileName(document, format.extension)
  // Under its name there is never half a file.
  await writeFile(join(folder, `${file}.part`), content)
  await rename(join(folder, `${file}.part`), join(folder, file))
  const line: IndexLine = { document, file }
  await appendFile(join(folder, INDEX_FILE), `${JSON.stringify(line)}\n`)
  return setAside.length
}
