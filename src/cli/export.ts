import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../store/store.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { console } from './console.ts'
import { count } from './count.ts'
import { fileName, INDEX_FILE, type IndexLine } from './document-file.ts'
import type { DocumentFormat } from './formats.ts'
import { readDocument, updatesOf } from './read-document.ts'

/**
 * Writes documents to files of a folder, those named or all, each with its whole state as one.
 * @returns how many could not be written
 */
export async function exportDocuments (store: Store, folder: string, format: DocumentFormat, wanted: readonly string[]): Promise<number> {
  await mkdir(folder, { recursive: true })
  const progress = console.progress('exporting', wanted.length || await count(store))
  const faults: string[] = []
  let written = 0
  for await (const document of wanted.length > 0 ? wanted : names(store)) {
    try {
      await exportDocument(store, folder, format, document)
      written++
    } catch (error) {
      faults.push(`${JSON.stringify(document)}: ${error instanceof Error ? error.message : String(error)}`)
    }
    progress.step()
  }
  progress.end()
  for (const fault of faults) console.tell(fault)
  console.say(`${written} documents written to ${folder}, ${faults.length} not`)
  return faults.length
}

async function exportDocument (store: Store, folder: string, format: DocumentFormat, document: string): Promise<void> {
  const whole = await readDocument(store, document)
  if (!whole) throw new Error('There is no such document')
  const content = await format.encode(mergeUpdates(updatesOf(whole).map(scanUpdate)))
  const file = fileName(document, format.extension)
  // Under its name there is never half a file.
  await writeFile(join(folder, `${file}.part`), content)
  await rename(join(folder, `${file}.part`), join(folder, file))
  const line: IndexLine = { document, file }
  await appendFile(join(folder, INDEX_FILE), `${JSON.stringify(line)}\n`)
}

async function * names (store: Store): AsyncGenerator<string> {
  for await (const { document } of store.list()) yield document
}
