import { encodeAuthors } from './authors.ts'
import { JournalEntry } from './journal-record.ts'
import {
  batchCountOf, breakSeal, contentLength, countersKey, encodeRow, encodeState, knownKey, logBatchKey, logKey, nameKey,
  decodeTombstone, encodeTombstone, noState, pieceKey, seal, seqOf, setAsideKey, setAsideRange, stateKey, tombstoneKey,
  unseal, wrap,
} from './layout.ts'
import { encodeBatch, sizeOf, updatesOf } from './log-rows.ts'
import { authorsWith, countEntry, type OpenDocument } from './lookups.ts'
import type { Transaction, Write } from './transaction.ts'
import { keptAuthors } from '../authors.ts'
import { assertRoomToSetAside } from '../set-aside.ts'
import type { AppendCondition, ConditionalAppend, LogEntry, NextSnapshot, SnapshotHead, Tombstone } from '../store.ts'

/** The next document id, and the floor under new numbers. */
interface Counters {
  readonly nextId: number
  /** The highest seq or generation of any removed document: later documents begin above it. */
  readonly floor: number
}

/**
 * The updates of a document that the journal keeps at most. Beyond, and if they are large, they are folded at once: to
 * write them twice would cost more than the pages that the journal saves.
 */
const maxJournaledUpdates = 256
const maxJournaledBytes = 32 * 1024

/** See `Store.append`. */
export function appendEntries (transaction: Transaction, entries: readonly LogEntry[]): number[] {
  const now = Date.now()
  const added = new Map<string, Added>()
  const seqs: number[] = []
  for (const { document, update, authors, after } of entries) {
    let to = added.get(document)
    const existing = to ? to.open : transaction.document(document)
    if (after !== undefined && !accepts(transaction, document, existing, after)) {
      seqs.push(0)
      continue
    }
    if (!to) {
      const open = existing ?? makeDocument(transaction, document, now)
      added.set(document, to = { open, entries: [], last: open.journal.at(-1) })
    }
    const seq = to.open.state.lastSeq + 1
    const fields = { document, documentId: to.open.id, seq, at: now, authors: keptAuthors(authors) }
    const entry = new JournalEntry(fields, update, to.last)
    countEntry(to.open.state, entry)
    to.entries.push(entry)
    to.last = entry
    seqs.push(seq)
  }
  for (const { open, entries } of added.values()) addToLog(transaction, open, entries)
  return seqs
}

/** The updates that an append adds to one document. */
interface Added {
  readonly open: OpenDocument
  readonly entries: JournalEntry[]
  last: JournalEntry | undefined
}

/** Whether the document to which an update belongs was not removed since (`LogEntry.after`). */
function accepts (
  transaction: Transaction,
  document: string,
  existing: OpenDocument | undefined,
  after: number
): boolean {
  // Only the first updates of a new document need this look-up.
  if (after === 0) return transaction.get(tombstoneKey(document)) === undefined
  return existing !== undefined && after > existing.state.base
}

function addToLog (transaction: Transaction, open: OpenDocument, added: readonly JournalEntry[]): void {
  const journal = open.journal.concat(added)
  const isNew = open.state.logEntries === added.length && open.state.generation === 0
  if (isNew || journal.length > maxJournaledUpdates || bytesOf(journal) > maxJournaledBytes) {
    writeState(transaction, fold(transaction, { ...open, journal }))
  } else {
    transaction.addToJournal(added)
    transaction.setDocument(open.name, { ...open, journal })
  }
}

function bytesOf (journal: readonly JournalEntry[]): number {
  let bytes = 0
  for (const { length } of journal) bytes += length
  return bytes
}

/** Moves a document's updates from the journal to its log. */
export function foldDocument (transaction: Transaction, document: string): void {
  const open = transaction.document(document)
  if (open && open.journal.length > 0) writeState(transaction, fold(transaction, open))
}

/** Writes a document's updates in the journal to its log. @returns the document, whose state must be written too */
function fold (transaction: Transaction, open: OpenDocument): OpenDocument {
  let whole: JournalEntry[] = []
  const writeWhole = (): void => {
    const last = whole.at(-1)
    if (!last) return
    const batch = encodeBatch(whole.map(({ update }) => update))
    put(transaction, logBatchKey(open.id, last.seq, whole.length), batch)
    whole = []
  }
  for (const entry of open.journal) {
    if (entry.isWhole) whole.push(entry)
    else {
      writeWhole()
      // As damaged as it is: no seal fits it.
      transaction.put(logKey(open.id, entry.seq), breakSeal(seal(logKey(open.id, entry.seq), wrap(entry.update))))
    }
  }
  writeWhole()
  return { ...open, authors: encodeAuthors(authorsWith(open.authors, open.journal)), journal: [] }
}

/** See `Store.create`. */
export function createDocument (transaction: Transaction, entry: LogEntry): number | undefined {
  return transaction.document(entry.document) ? undefined : appendEntry(transaction, entry)
}

/** See `Store.appendIf`. */
export function appendIf (
  transaction: Transaction,
  entry: LogEntry,
  { readAt, isLast }: AppendCondition
): ConditionalAppend {
  const open = transaction.document(entry.document)
  if (!open) return { type: 'absent' }
  const { base, lastSeq } = open.state
  if (readAt <= base || (isLast && readAt !== lastSeq)) return { type: 'changed', lastSeq }
  return { type: 'stored', seq: appendEntry(transaction, entry) }
}

function appendEntry (transaction: Transaction, entry: LogEntry): number {
  return appendEntries(transaction, [entry])[0]! // one for each entry
}

/** The large parts of a snapshot, wrapped before the transaction because copying them takes long. */
export interface WrappedSnapshot {
  readonly pieces: readonly Buffer[]
  /** As `encodeSetAside` returns them. */
  readonly setAside: readonly Buffer[]
}

/** See `Store.compact`. @param wrapped what `next` holds */
export function compactDocument (
  transaction: Transaction,
  document: string,
  next: NextSnapshot,
  { pieces, setAside }: WrappedSnapshot
): SnapshotHead | undefined {
  const journaled = transaction.document(document)
  // A number below the document's own belongs to a removed document of the same name.
  if (!journaled || journaled.state.generation !== next.replaces || next.upTo <= journaled.state.base) return undefined
  const { id, state } = journaled
  if (next.upTo > state.lastSeq || next.upTo < state.upTo) {
    throw new RangeError(`A snapshot up to ${next.upTo} does not fit a log of ${state.upTo + 1} to ${state.lastSeq}`)
  }
  keepAside(transaction, document, id, setAside)
  const open = fold(transaction, journaled)
  dropSnapshot(transaction, open)
  state.generation = Math.max(state.generation, readCounters(transaction).floor) + 1
  state.upTo = next.upTo
  state.pieces = pieces.length
  state.snapshotBytes = pieces.reduce((sum, piece) => sum + contentLength(piece), 0)
  pieces.forEach((piece, index) => {
    const key = pieceKey(id, state.generation, index)
    transaction.put(key, seal(key, piece))
  })
  put(transaction, knownKey(id, state.generation), next.known)
  dropLog(transaction, open)
  writeState(transaction, open)
  return {
    generation: state.generation,
    upTo: state.upTo,
    pieces: state.pieces,
    bytes: state.snapshotBytes,
    known: new Uint8Array(next.known),
  }
}

/** See `Store.removeSetAside`. */
export function removeSetAside (transaction: Transaction, document: string): number {
  const open = transaction.document(document)
  return open ? dropSetAside(transaction, open.id) : 0
}

/** See `Store.remove`. */
export function removeDocument (
  transaction: Transaction,
  document: string,
  deleted: Uint8Array | undefined,
  lastSeq: number | undefined
): boolean {
  const open = transaction.document(document)
  if (!open || (lastSeq !== undefined && open.state.lastSeq !== lastSeq)) return false
  const { id, state } = open
  dropSnapshot(transaction, open)
  for (const key of transaction.keys(logKey(id, 0), stateKey(id))) transaction.remove(key)
  transaction.remove(stateKey(id))
  dropSetAside(transaction, id)
  transaction.remove(nameKey(document))
  transaction.setDocument(document, null)
  if (deleted) put(transaction, tombstoneKey(document), encodeTombstone({ deleted, at: Date.now() }))
  const counters = readCounters(transaction)
  writeCounters(transaction, { ...counters, floor: Math.max(counters.floor, state.lastSeq, state.generation) })
  return true
}

/** See `Store.replaceTombstone`. */
export function replaceTombstone (
  transaction: Transaction,
  document: string,
  { at, deleted: before }: Tombstone,
  deleted: Uint8Array
): boolean {
  const key = tombstoneKey(document)
  const value = transaction.get(key)
  const record = value && unseal(key, value)
  if (!record?.equals(encodeTombstone({ deleted: before, at }))) return false
  put(transaction, key, encodeTombstone({ deleted, at }))
  return true
}

/** Removes those of these tombstones that were made before a time. Damaged ones stay, so that they are found. */
export function removeTombstones (transaction: Transaction, keys: readonly Buffer[], before: number): number {
  const old = keys.filter((key) => {
    const value = transaction.get(key)
    const record = value && unseal(key, value)
    return record && decodeTombstone(record).at < before
  })
  for (const key of old) transaction.remove(key)
  return old.length
}

function makeDocument (transaction: Transaction, document: string, now: number): OpenDocument {
  const counters = readCounters(transaction)
  const row = { id: counters.nextId, createdAt: now }
  writeCounters(transaction, { ...counters, nextId: counters.nextId + 1 })
  put(transaction, nameKey(document), encodeRow(row))
  const state = { ...noState, base: counters.floor, lastSeq: counters.floor }
  return { name: document, ...row, state, authors: Buffer.alloc(0), journal: [] }
}

function dropSnapshot (transaction: Transaction, { id, state: { generation, pieces } }: OpenDocument): void {
  if (generation === 0) return
  for (let index = 0; index < pieces; index++) transaction.remove(pieceKey(id, generation, index))
  transaction.remove(knownKey(id, generation))
}

/** @throws SetAsideFull */
function keepAside (transaction: Transaction, document: string, id: number, records: readonly Buffer[]): void {
  if (records.length === 0) return
  const keys = keysOfSetAside(transaction, id)
  const bytes = keys.reduce((sum, key) => sum + (transaction.get(key)?.length ?? 0), 0)
  assertRoomToSetAside(document, { entries: keys.length, bytes })
  const last = keys.reduce((highest, key) => Math.max(highest, seqOf(key)), 0)
  records.forEach((record, index) => {
    const key = setAsideKey(id, last + 1 + index)
    transaction.put(key, seal(key, record))
  })
}

function dropSetAside (transaction: Transaction, id: number): number {
  const keys = keysOfSetAside(transaction, id)
  for (const key of keys) transaction.remove(key)
  return keys.length
}

function keysOfSetAside (transaction: Transaction, id: number): Buffer[] {
  const { start, end } = setAsideRange(id)
  return transaction.keys(start, end)
}

/** Drops the updates of the log that the snapshot holds, and counts the rest. */
function dropLog (transaction: Transaction, { name, id, state }: OpenDocument): void {
  state.logEntries = 0
  state.logBytes = 0
  for (const key of transaction.keys(logKey(id, 0), stateKey(id))) {
    const kept = seqOf(key) > state.upTo ? keepAfter(transaction, name, id, key, state.upTo) : undefined
    if (kept) {
      const { entries, bytes } = sizeOf(kept.key, kept.value)
      state.logEntries += entries
      state.logBytes += bytes
    } else transaction.remove(key)
  }
}

/**
 * Shortens an entry of the log to the updates above `upTo`.
 * @returns the entry as it is now
 * @throws DamagedDocument
 */
function keepAfter (
  transaction: Transaction,
  document: string,
  id: number,
  key: Buffer,
  upTo: number
): Write & { readonly value: Buffer } | undefined {
  const value = transaction.get(key)
  if (!value) return undefined
  const last = seqOf(key)
  const left = last - upTo
  if ((batchCountOf(key) ?? 1) <= left) return { key, value }
  const updates = updatesOf(document, key, value, upTo)
  transaction.remove(key)
  const shorter = logBatchKey(id, last, updates.length)
  put(transaction, shorter, encodeBatch(updates.map(({ update }) => update)))
  return { key: shorter, value: transaction.get(shorter) as Buffer } // just written
}

function writeState (transaction: Transaction, open: OpenDocument): void {
  put(transaction, stateKey(open.id), encodeState(open.state, open.authors))
  transaction.setDocument(open.name, open)
}

function put (transaction: Transaction, key: Buffer, content: Uint8Array): void {
  transaction.put(key, seal(key, wrap(content)))
}

function readCounters (transaction: Transaction): Counters {
  const text = transaction.get(countersKey)
  // Only `writeCounters` writes it.
  return text ? JSON.parse(text.toString()) as Counters : { nextId: 1, floor: 0 }
}

function writeCounters (transaction: Transaction, counters: Counters): void {
  transaction.put(countersKey, Buffer.from(JSON.stringify(counters)))
}
