import { decodeAuthors, type Authors } from './authors.ts'
import { noJournal, type ReadJournal } from './journal.ts'
import type { JournalEntry } from './journal-record.ts'
import {
  authorsIn, decodeRow, decodeSetAside, decodeState, documentOf, knownKey, logKey, nameKey, noState, pieceKey, seqOf,
  decodeTombstone, setAsideRange, stateKey, tombstoneKey, unseal,
  type DocumentRow, type DocumentState,
} from './layout.ts'
import { keepable, updatesOf } from './log-rows.ts'
import {
  DamagedDocument,
  type DocumentInfo, type SnapshotHead, type StoredDocument, type StoredSetAside, type StoredUpdate,
  type Tombstone,
} from '../store.ts'
import type { LmdbTree } from './tree.ts'

/** An existing document. */
export interface OpenDocument extends DocumentRow {
  readonly name: string
  /** Counts the updates of the journal too. */
  readonly state: DocumentState
  /** Who has written what is folded, as `encodeAuthors` returns it. */
  readonly authors: Buffer
  /** Its updates that are not folded yet, in their order. */
  readonly journal: readonly JournalEntry[]
}

/** Looks up a document. @throws DamagedDocument */
export function openDocument (
  from: { get (key: Buffer): Buffer | undefined },
  document: string,
  readJournal: ReadJournal
): OpenDocument | undefined {
  const name = nameKey(document)
  const value = from.get(name)
  if (!value) return undefined
  const row = unseal(name, value)
  if (!row) throw new DamagedDocument(document, 'its entry fails its checksum')
  const decoded = decodeRow(row)
  const key = stateKey(decoded.id)
  const record = from.get(key)
  const content = record && unseal(key, record)
  if (!content) throw new DamagedDocument(document, record ? 'its state fails its checksum' : 'its state is missing')
  return addJournal(document, decoded, content, readJournal)
}

/** @param folded the content of its state */
function addJournal (document: string, row: DocumentRow, folded: Buffer, readJournal: ReadJournal): OpenDocument {
  const { id, createdAt } = row
  const state = decodeState(folded)
  const journal = readJournal(document).filter(({ documentId, seq }) => documentId === id && seq > state.lastSeq)
  for (const entry of journal) countEntry(state, entry)
  return { name: document, id, createdAt, state, authors: authorsIn(folded), journal }
}

/** Adds an update of the journal to its document's state. */
export function countEntry (state: DocumentState, { seq, length, at }: JournalEntry): void {
  state.lastSeq = seq
  state.logEntries++
  state.logBytes += length
  state.updatedAt = at
}

/** See `Store.load`. */
export function loadDocument (
  view: LmdbTree,
  document: string,
  since: number,
  readJournal: ReadJournal
): StoredDocument | undefined {
  const open = openDocument(view, document, readJournal)
  if (!open) return undefined
  const { id, state } = open
  const snapshot = readHead(view, document, open)
  const from = Math.max(since, snapshot?.upTo ?? 0)
  const log: StoredUpdate[] = []
  for (const { key, value } of view.getRange({ start: logKey(id, from + 1), end: stateKey(id) })) {
    log.push(...updatesOf(document, key, value, from))
  }
  for (const entry of open.journal) {
    if (!entry.isWhole) throw new DamagedDocument(document, `entry ${entry.seq} of its log fails its checksum`)
    if (entry.seq > from) log.push({ seq: entry.seq, update: new Uint8Array(entry.update) })
  }
  const hasTombstone = view.getBinary(tombstoneKey(document)) !== undefined
  return { snapshot, log, lastSeq: state.lastSeq, updatedAt: state.updatedAt, base: state.base, hasTombstone }
}

/** See `Store.authors`. */
export function readAuthors (view: LmdbTree, document: string, since: number, readJournal: ReadJournal): string[] {
  const open = openDocument(view, document, readJournal)
  if (!open) return []
  const authors = authorsWith(open.authors, open.journal)
  return [...authors].filter(([, seq]) => seq > since).sort(([, a], [, b]) => b - a).map(([author]) => author)
}

/** Who has written what is folded and what is in the journal. */
export function authorsWith (folded: Buffer, journal: readonly JournalEntry[]): Authors {
  const authors = decodeAuthors(folded)
  for (const entry of journal) for (const author of entry.authors) authors.set(author, entry.seq)
  return authors
}

/** See `Store.readPiece`. */
export function readPiece (
  view: LmdbTree,
  document: string,
  generation: number,
  index: number
): Uint8Array | undefined {
  const open = openDocument(view, document, noJournal)
  if (!open || open.state.generation !== generation || index < 0 || index >= open.state.pieces) return undefined
  return keepable(readContent(view, document, pieceKey(open.id, generation, index), `piece ${index} of its snapshot`))
}

/** See `Store.setAside`. */
export function readSetAside (view: LmdbTree, document: string): StoredSetAside[] {
  const open = openDocument(view, document, noJournal)
  if (!open) return []
  return Array.from(view.getRange(setAsideRange(open.id)), ({ key, value }) => {
    const seq = seqOf(key)
    const record = unseal(key, value)
    if (!record) throw new DamagedDocument(document, `update ${seq} of those set aside fails its checksum`)
    return { seq, ...decodeSetAside(record) }
  })
}

/** See `Store.tombstone`. */
export function readTombstone (view: LmdbTree, document: string): Tombstone | undefined {
  const key = tombstoneKey(document)
  return view.getBinary(key) && decodeTombstone(readContent(view, document, key, 'the tombstone of its name'))
}

/** See `Store.list`. Lists damaged documents too, with the fields that can be read, so that they can be found. */
export function readInfo (view: LmdbTree, key: Buffer, value: Buffer, readJournal: ReadJournal): DocumentInfo {
  const document = documentOf(key)
  const content = unseal(key, value)
  const row = content ? decodeRow(content) : { id: 0, createdAt: 0 }
  const record = view.getBinary(stateKey(row.id))
  const folded = record && unseal(stateKey(row.id), record)
  const state = folded ? addJournal(document, row, folded, readJournal).state : noState
  const { snapshotBytes, logBytes, logEntries, lastSeq, updatedAt } = state
  const setAside = view.getKeysCount(setAsideRange(row.id))
  const { createdAt } = row
  return { document, snapshotBytes, logBytes, logEntries, lastSeq, setAside, createdAt, updatedAt }
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
