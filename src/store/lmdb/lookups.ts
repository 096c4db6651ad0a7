import {
  decodeRow, decodeSetAside, decodeState, documentOf, knownKey, logKey, nameKey, noState, pieceKey, seqOf,
  setAsideRange, stateKey, unseal,
  type DocumentRow, type DocumentState,
} from './layout.ts'
import {
  DamagedDocument,
  type DocumentInfo, type SnapshotHead, type StoredDocument, type StoredSetAside, type StoredUpdate,
} from '../store.ts'
import type { LmdbTree } from './tree.ts'

/** An existing document. */
export interface OpenDocument extends DocumentRow {
  readonly state: DocumentState
}

/** Looks up a document. @throws DamagedDocument */
export function openDocument (
  from: { get (key: Buffer): Buffer | undefined },
  document: string
): OpenDocument | undefined {
  const name = nameKey(document)
  const value = from.get(name)
  if (!value) return undefined
  const row = unseal(name, value)
  if (!row) throw new DamagedDocument(document, 'its entry fails its checksum')
  const { id, createdAt } = decodeRow(row)
  const key = stateKey(id)
  const record = from.get(key)
  const state = record && unseal(key, record)
  if (!state) throw new DamagedDocument(document, record ? 'its state fails its checksum' : 'its state is missing')
  return { id, createdAt, state: decodeState(state) }
}

/** See `Store.load`. */
export function loadDocument (view: LmdbTree, document: string, since: number): StoredDocument | undefined {
  const open = openDocument(view, document)
  if (!open) return undefined
  const { id, state } = open
  const snapshot = readHead(view, document, open)
  const from = Math.max(since, snapshot?.upTo ?? 0)
  const log: StoredUpdate[] = []
  for (const { key, value } of view.getRange({ start: logKey(id, from + 1), end: stateKey(id) })) {
    const seq = seqOf(key)
    const update = unseal(key, value)
    if (!update) throw new DamagedDocument(document, `entry ${seq} of its log fails its checksum`)
    log.push({ seq, update: keepable(update) })
  }
  return { snapshot, log, lastSeq: state.lastSeq }
}

/** See `Store.readPiece`. */
export function readPiece (
  view: LmdbTree,
  document: string,
  generation: number,
  index: number
): Uint8Array | undefined {
  const open = openDocument(view, document)
  if (!open || open.state.generation !== generation || index < 0 || index >= open.state.pieces) return undefined
  return keepable(readContent(view, document, pieceKey(open.id, generation, index), `piece ${index} of its snapshot`))
}

/** See `Store.setAside`. */
export function readSetAside (view: LmdbTree, document: string): StoredSetAside[] {
  const open = openDocument(view, document)
  if (!open) return []
  return Array.from(view.getRange(setAsideRange(open.id)), ({ key, value }) => {
    const seq = seqOf(key)
    const record = unseal(key, value)
    if (!record) throw new DamagedDocument(document, `update ${seq} of those set aside fails its checksum`)
    return { seq, ...decodeSetAside(record) }
  })
}

/** See `Store.list`. Lists damaged documents too, with the fields that can be read, so that they can be found. */
export function readInfo (view: LmdbTree, key: Buffer, value: Buffer): DocumentInfo {
  const content = unseal(key, value)
  const row = content ? decodeRow(content) : { id: 0, createdAt: 0 }
  const record = view.getBinary(stateKey(row.id))
  const state = record && unseal(stateKey(row.id), record)
  const { snapshotBytes, logBytes, logEntries, lastSeq, updatedAt } = state ? decodeState(state) : noState
  const setAside = view.getKeysCount(setAsideRange(row.id))
  const { createdAt } = row
  return { document: documentOf(key), snapshotBytes, logBytes, logEntries, lastSeq, setAside, createdAt, updatedAt }
}

function readHead (view: LmdbTree, document: string, { id, state }: OpenDocument): SnapshotHead | undefined {
  const { generation, upTo, pieces, snapshotBytes: bytes } = state
  if (generation === 0) return undefined
  const known = readContent(view, document, knownKey(id, generation), 'what its snapshot knows')
  return { generation, upTo, pieces, bytes, known: keepable(known) }
}

function readContent (view: LmdbTree, document: string, key: Buffer, what: string): Buffer {
  const value = view.getBinary(key)
  if (!value) throw new DamagedDocument(document, `${what} is missing`)
  const content = unseal(key, value)
  if (!content) throw new DamagedDocument(document, `${what} fails its checksum`)
  return content
}

/** Copies into a plain array: Buffers share memory, and Yjs expects another `slice` than theirs. */
const keepable = (content: Buffer): Uint8Array => new Uint8Array(content)
