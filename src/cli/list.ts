import { printable } from '../logging/printable.ts'
import type { DocumentInfo, Store } from '../store/store.ts'
import { console } from './console.ts'

/** Documents of a terabyte are still in line. */
const BYTES_WIDTH = 12

/** Prints a line for each document, while they are read: there may be millions. @returns 0 */
export async function list (store: Store, { json = false }: { readonly json?: boolean }): Promise<number> {
  if (!json) console.say(`${'bytes'.padStart(BYTES_WIDTH)}  ${'last change'.padEnd(24)}  name`)
  for await (const info of store.list()) console.say(json ? JSON.stringify(described(info)) : row(info))
  return 0
}

/** A document as `--json` shows it, in the words of the HTTP interface. */
export function described ({ document, snapshotBytes, logBytes, logEntries, lastSeq, setAside, createdAt, updatedAt }: DocumentInfo) {
  return {
    name: document,
    bytes: snapshotBytes + logBytes,
    snapshotBytes,
    logBytes,
    logEntries,
    sequence: lastSeq,
    setAside,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function row (info: DocumentInfo): string {
  const { name, bytes, updatedAt } = described(info)
  return `${String(bytes).padStart(BYTES_WIDTH)}  ${updatedAt}  ${printable(name)}`
}
