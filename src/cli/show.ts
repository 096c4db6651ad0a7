import { printable } from '../logging/printable.ts'
import type { DocumentInfo, Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import type { Console } from './console.ts'
import { build, rootsOf, type Root } from './document-roots.ts'
import { described } from './list.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf } from './read-document.ts'

/** A document as `show` describes it, once Yjs has built it. */
interface Description extends ReturnType<typeof described> {
  /** The number of clients whose edits it holds. */
  readonly clients: number
  readonly roots: readonly Root[]
  /** Updates in its log or snapshot that Yjs cannot apply. */
  readonly notApplicable: number
}

/**
 * Describes one document, without its content.
 * @returns 1 if it holds updates that Yjs cannot apply, else 0
 * @throws Error if the document does not exist
 * @throws DamagedDocument
 */
export async function show (
  store: Store,
  console: Console,
  name: string,
  { json = false }: { readonly json?: boolean }
): Promise<number> {
  const info = await find(store, name)
  const whole = await readDocument(store, name)
  if (info === undefined || whole === undefined) throw new Error(`There is no document ${JSON.stringify(name)}`)
  const { pieces, setAside } = snapshotPieces(updatesOf(whole), pieceBytes)
  const doc = build(pieces)
  const description: Description = {
    ...described(info),
    clients: doc.store.clients.size,
    roots: rootsOf(doc),
    notApplicable: setAside.length,
  }
  console.print(json ? JSON.stringify(description) : lines(description).join('\n'))
  if (setAside.length > 0) console.note(`${plural(setAside.length, 'update')} cannot be applied: run y-provider check`)
  return setAside.length > 0 ? 1 : 0
}

/** Finds the document: of all names that begin with its name, its own comes first. */
async function find (store: Store, name: string): Promise<DocumentInfo | undefined> {
  const first = await store.list({ prefix: name })[Symbol.asyncIterator]().next()
  return first.done !== true && first.value.document === name ? first.value : undefined
}

function lines (description: Description): string[] {
  const {
    name,
    bytes,
    snapshotBytes,
    logBytes,
    logEntries,
    setAside,
    clients,
    createdAt,
    updatedAt,
    roots,
  } = description
  return [
    `name         ${printable(name)}`,
    `size         ${plural(bytes, 'byte')}: ${snapshotBytes} in the snapshot, ${logBytes} in the log`,
    `log          ${plural(logEntries, 'entry')}`,
    `set aside    ${plural(setAside, 'update')}`,
    `clients      ${clients}`,
    `created      ${createdAt}`,
    `last change  ${updatedAt}`,
    ...roots.map(({ name, type }, at) => `${(at === 0 ? 'roots' : '').padEnd(13)}${printable(name)} (${type})`),
  ]
}
