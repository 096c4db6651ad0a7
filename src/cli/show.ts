import { printable } from '../logging/printable.ts'
import type { DocumentInfo, Store } from '../store/store.ts'
import { pieceBytes } from '../sync/limits.ts'
import { snapshotPieces } from '../update/snapshot-pieces.ts'
import { console } from './console.ts'
import { build, rootsOf, type Root } from './document-roots.ts'
import { described } from './list.ts'
import { plural } from './plural.ts'
import { readDocument, updatesOf } from './read-document.ts'

/** What is known of a document once it is built. */
interface Description extends ReturnType<typeof described> {
  /** How many clients have written what is in it */
  readonly clients: number
  readonly roots: readonly Root[]
  /** Updates in its log or snapshot that Yjs cannot apply */
  readonly notApplicable: number
}

/**
 * Describes one document, without its content.
 * @returns 1 where it holds what Yjs cannot apply, else 0
 * @throws Error where there is no such document
 * @throws DamagedDocument
 */
export async function show (store: Store, name: string, { json = false }: { readonly json?: boolean }): Promise<number> {
  const info = await find(store, name)
  const whole = await readDocument(store, name)
  if (info === undefined || whole === undefined) throw new Error(`There is no document ${JSON.stringify(name)}`)
  const { pieces, setAside } = snapshotPieces(updatesOf(whole), pieceBytes)
  const doc = build(pieces)
  const description: Description = { ...described(info), clients: doc.store.clients.size, roots: rootsOf(doc), notApplicable: setAside.length }
  console.say(json ? JSON.stringify(description) : lines(description).join('\n'))
  if (setAside.length > 0) console.tell(`${plural(setAside.length, 'update')} cannot be applied: run y-provider check`)
  return setAside.length > 0 ? 1 : 0
}

/** Of all names that begin with this one, it is the first. */
async function find (store: Store, name: string): Promise<DocumentInfo | undefined> {
  const first = await store.list({ prefix: name })[Symbol.asyncIterator]().next()
  return first.done !== true && first.value.document === name ? first.value : undefined
}

function lines ({ name, bytes, snapshotBytes, logBytes, logEntries, setAside, clients, createdAt, updatedAt, roots }: Description): string[] {
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
