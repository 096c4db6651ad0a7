import { printable } from '../logging/printable.ts'
import type { DocumentInfo, Store } from '../store/store.ts'
import type { Console } from './console.ts'

/** Characters: enough for the bytes of a document of almost a terabyte. */
const bytesWidth = 12

/** Prints a line for each document while it reads them, since there can be millions. @returns 0 */
export async function list (
  store: Store,
  console: Console,
  { json = false }: { readonly json?: boolean }
): Promise<number> {
  if (!json) console.print(`${'bytes'.padStart(bytesWidth)}  ${'last change'.padEnd(24)}  name`)
  for await (const info of store.list()) console.print(json ? JSON.stringify(described(info)) : row(info))
  return 0
}

/** A document as `--json` prints it, in the words of the HTTP interface. */
export function described (info: DocumentInfo) {
  return {
    name: info.document,
    bytes: info.snapshotBytes + info.logBytes,
    snapshotBytes: info.snapshotBytes,
    logBytes: info.logBytes,
    logEntries: info.logEntries,
    sequence: info.lastSeq,
    setAside: info.setAside,
    createdAt: new Date(info.createdAt).toISOString(),
    updatedAt: new Date(info.updatedAt).toISOString(),
  }
}

function row (info: DocumentInfo): string {
  const { name, bytes, updatedAt } = described(info)
  return `${String(bytes).padStart(bytesWidth)}  ${updatedAt}  ${printable(name)}`
}
