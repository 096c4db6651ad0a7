import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** File systems take 255 bytes; some room for the extension, and for a name beside it while it is written. */
const MAX_NAME_BYTES = 200

/** In a folder of exported documents: a line of JSON for each file, with the document's name. */
export const INDEX_FILE = 'documents.jsonl'

export interface IndexLine {
  readonly document: string
  readonly file: string
}

/** A name for a document's file that every file system takes, and people can read where it is possible. */
export function fileName (document: string, extension: string): string {
  const readable = encodeURIComponent(document).replaceAll('*', '%2A')
  const short = readable.length <= MAX_NAME_BYTES && !readable.startsWith('.') ? readable : createHash('sha256').update(document).digest('hex')
  return short + extension
}

/** The document that a file was named for, where no index says it. */
export function documentName (file: string, extension: string): string {
  const name = file.slice(0, -extension.length)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Which document each file of a folder holds, as far as an export has written it down; empty where none has. */
export async function readIndex (folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, INDEX_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => {
    // Written by `export`; a file that is named in no line goes by its own name.
    const { file, document } = JSON.parse(line) as IndexLine
    return [file, document]
  }))
}
