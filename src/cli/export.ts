import { existsSync } from 'node:fs'
import { appendFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeFolder } from '../store/lmdb/make-folder.ts'
import type { Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import { scanUnchecked } from '../update/scan-update.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import type { Console } from './console.ts'
import { fileName, indexFile, readIndex, type IndexLine } from './document-file.ts'
import { build, textsOf } from './document-roots.ts'
import { count, namesOr } from './documents.ts'
import type { DocumentFormat } from './formats.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf } from './read-document.ts'
import { reasonOf } from './reason.ts'

/** The documents to write, and their destination. */
export interface ExportOptions {
  readonly folder: string
  readonly format: DocumentFormat
  /** Whether the folder can hold an earlier export. */
  readonly overwrite: boolean
  /** Names of documents; empty: all documents. */
  readonly wanted: readonly string[]
}

/**
 * Writes documents to files of a folder, each file with the whole state of a document. Updates that Yjs cannot apply
 * are left out, because they would make the whole file unusable.
 * @returns the number of documents that were not written, or not in this format
 * @throws Error if the folder holds an export that must not be overwritten
 */
export async function exportDocuments (
  store: Store,
  console: Console,
  { folder, format, overwrite, wanted }: ExportOptions
): Promise<number> {
  if (!overwrite && existsSync(join(folder, indexFile))) throw new Error(`There is an export in ${folder} already: name another folder, or add --overwrite`)
  await makeFolder(resolve(folder))
  const files = new Files(folder, await readIndex(folder))
  const progress = console.progress('exporting', wanted.length || await count(store))
  const remarks: string[] = []
  const faults: string[] = []
  let written = 0
  let inAnotherFormat = 0
  for await (const document of namesOr(wanted, store)) {
    const remark = (text: string): void => { remarks.push(`${JSON.stringify(document)}: ${text}`) }
    try {
      const { update, leftOut } = await readWhole(store, document)
      if (leftOut > 0) remark(`left out ${plural(leftOut, 'update')} that Yjs cannot apply`)
      const content = await format.encode(update)
      if (content !== undefined) await files.write(document, format.extension, content)
      else {
        inAnotherFormat++
        remark(`not a BlockNote document: written as ${(await writeUnconverted(files, document, update)).join(' and ')}`)
      }
      written++
    } catch (error) {
      faults.push(`${JSON.stringify(document)}: ${reasonOf(error)}`)
    }
    progress.step()
  }
  progress.end()
  for (const line of [...remarks, ...faults]) console.note(line)
  const note = inAnotherFormat > 0 ? ` (${inAnotherFormat} in another format)` : ''
  console.print(`${plural(written, 'document')} written to ${folder}${note}, ${faults.length} failed`)
  return faults.length + inAnotherFormat
}

/** Reads a document as one update. `leftOut`: the number of updates that Yjs cannot apply. */
async function readWhole (store: Store, document: string): Promise<{ update: Uint8Array, leftOut: number }> {
  const whole = await readDocument(store, document)
  if (!whole) throw new Error('There is no such document')
  const stored = updatesOf(whole)
  const { pieces, setAside } = snapshotPieces(stored, pieceBytes)
  // The stored updates hold more than the pieces built from them, so they are preferred.
  const updates = setAside.length > 0 ? pieces : stored
  return { update: mergeUpdates(updates.map(scanUnchecked)), leftOut: setAside.length }
}

/** Writes the document as a Yjs update, and its texts as plain text. @returns the extensions of the files */
async function writeUnconverted (files: Files, document: string, update: Uint8Array): Promise<string[]> {
  const text = textsOf(build([update])).filter((each) => each !== '').join('\n\n')
  await files.write(document, '.yjs', update)
  if (text === '') return ['.yjs']
  await files.write(document, '.txt', Buffer.from(`${text}\n`))
  return ['.yjs', '.txt']
}

/** The files of an export, and their index. */
class Files {
  readonly #folder: string
  readonly #index: Map<string, string>

  constructor (folder: string, index: Map<string, string>) {
    this.#folder = folder
    this.#index = index
  }

  async write (document: string, extension: string, content: Uint8Array): Promise<void> {
    const file = fileName(document, extension)
    // A file gets its name once it is complete.
    await writeFile(join(this.#folder, `${file}.part`), content)
    await rename(join(this.#folder, `${file}.part`), join(this.#folder, file))
    if (this.#index.get(file) === document) return
    const line: IndexLine = { document, file }
    await appendFile(join(this.#folder, indexFile), `${JSON.stringify(line)}\n`)
    this.#index.set(file, document)
  }
}
