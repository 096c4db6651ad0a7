import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes: file systems allow 255, and the extension and the suffix of an unfinished file need room. */
const maxNameBytes = 200

/** The index of an export's folder: a line of JSON for each file. */
export const indexFile = 'documents.jsonl'

/** A line of the index: which document a file holds. */
export interface IndexLine {
  readonly document: string
  readonly file: string
}

/**
 * Names the file of a document so that every file system accepts it, readable if possible.
 * @param extension with its dot
 */
export function fileName (document: string, extension: string): string {
  const readable = encodeURIComponent(document).replaceAll('*', '%2A')
  const short = readable.length <= maxNameBytes && !readable.startsWith('.') ? readable : createHash('sha256').update(document).digest('hex')
  return short + extension
}

/** The document that a file is named after, for a file that is not in the index. */
export function documentName (file: string, extension: string): string {
  const name = file.slice(0, -extension.length)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Reads the index of a folder: documents by file; empty if the folder has no index. */
export async function readIndex (folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, indexFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => {
    // Only `export` writes the index.
    const { file, document } = JSON.parse(line) as IndexLine
    return [file, document]
  }))
}
