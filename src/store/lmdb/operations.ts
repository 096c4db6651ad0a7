import {
  contentLength, countersKey, encodeRow, encodeState, knownKey, logKey, nameKey, noState, pieceKey, seal, seqOf,
  setAsideKey, setAsideRange, stateKey, wrap,
} from './layout.ts'
import type { OpenDocument } from './lookups.ts'
import type { Transaction } from './transaction.ts'
import { assertRoomToSetAside } from '../set-aside.ts'
import type { LogEntry, NextSnapshot, SnapshotHead } from '../store.ts'

/** The next document id, and the floor under new numbers. */
interface Counters {
  readonly nextId: number
  /** The highest seq or generation of any removed document: later documents begin above it. */
  readonly floor: number
}

/** See `Store.append`. */
export function appendEntries (transaction: Transaction, entries: readonly LogEntry[]): number[] {
  const now = Date.now()
  const touched = new Map<string, OpenDocument>()
  const seqs = entries.map(({ document, update }) => {
    let open = touched.get(document)
    if (!open) touched.set(document, open = transaction.document(document) ?? makeDocument(transaction, document, now))
    return appendUpdate(transaction, open, update)
  })
  for (const [document, open] of touched) writeState(transaction, document, open, now)
  return seqs
}

/** See `Store.create`. */
export function createDocument (transaction: Transaction, document: string, update: Uint8Array): boolean {
  if (transaction.document(document)) return false
  appendEntries(transaction, [{ document, update }])
  return true
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
  const open = transaction.document(document)
  // A number below the document's own belongs to a removed document of the same name.
  if (!open || open.state.generation !== next.replaces || next.upTo <= open.state.base) return undefined
  const { id, state } = open
  if (next.upTo > state.lastSeq || next.upTo < state.upTo) {
    throw new RangeError(`A snapshot up to ${next.upTo} does not fit a log of ${state.upTo + 1} to ${state.lastSeq}`)
  }
  keepAside(transaction, document, id, setAside)
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
  writeState(transaction, document, open, state.updatedAt)
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
export function removeDocument (transaction: Transaction, document: string): boolean {
  const open = transaction.document(document)
  if (!open) return false
  const { id, state } = open
  dropSnapshot(transaction, open)
  for (const key of transaction.keys(logKey(id, 0), stateKey(id))) transaction.remove(key)
  transaction.remove(stateKey(id))
  dropSetAside(transaction, id)
  transaction.remove(nameKey(document))
  transaction.setDocument(document, null)
  const counters = readCounters(transaction)
  writeCounters(transaction, { ...counters, floor: Math.max(counters.floor, state.lastSeq, state.generation) })
  return true
}

function makeDocument (transaction: Transaction, document: string, now: number): OpenDocument {
  const counters = readCounters(transaction)
  const row = { id: counters.nextId, createdAt: now }
  writeCounters(transaction, { ...counters, nextId: counters.nextId + 1 })
  put(transaction, nameKey(document), encodeRow(row))
  return { ...row, state: { ...noState, base: counters.floor, lastSeq: counters.floor } }
}

function appendUpdate (transaction: Transaction, { id, state }: OpenDocument, update: Uint8Array): number {
  state.lastSeq++
  state.logEntries++
  state.logBytes += update.length
  put(transaction, logKey(id, state.lastSeq), update)
  return state.lastSeq
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

/** Drops the log entries that the snapshot holds, and counts the rest. */
function dropLog (transaction: Transaction, { id, state }: OpenDocument): void {
  const after = logKey(id, state.upTo + 1)
  for (const key of transaction.keys(logKey(id, 0), after)) transaction.remove(key)
  const left = transaction.keys(after, stateKey(id))
  state.logEntries = left.length
  state.logBytes = left.reduce((sum, key) => {
    const value = transaction.get(key)
    return value ? sum + contentLength(value) : sum
  }, 0)
}

function writeState (transaction: Transaction, document: string, open: OpenDocument, now: number): void {
  const { id, state } = open
  state.updatedAt = now
  put(transaction, stateKey(id), encodeState(state))
  transaction.setDocument(document, open)
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
