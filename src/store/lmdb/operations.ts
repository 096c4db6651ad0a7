import type { Draft } from './transaction.ts'
import {
  contentLength, COUNTERS, encodeRow, encodeState, knownKey, logKey, nameKey, NO_STATE, pieceKey, seal, seqOf, setAsideKey,
  setAsideRange, stateKey, wrap,
} from './layout.ts'
import type { OpenDocument } from './lookups.ts'
import { assertRoomToSetAside } from '../set-aside.ts'
import type { LogEntry, NextSnapshot, SnapshotHead } from '../store.ts'

/** Document ids, and the floor under new numbers. */
interface Counters {
  readonly nextId: number
  /** The highest seq or generation of any document that was removed: one that comes into being later begins above */
  readonly floor: number
}

/** See `Store.append`. */
export function appendEntries (draft: Draft, entries: readonly LogEntry[]): number[] {
  const now = Date.now()
  const touched = new Map<string, OpenDocument>()
  const seqs = entries.map(({ document, update }) => {
    let open = touched.get(document)
    if (!open) touched.set(document, open = draft.document(document) ?? makeDocument(draft, document, now))
    return appendUpdate(draft, open, update)
  })
  for (const [document, open] of touched) writeState(draft, document, open, now)
  return seqs
}

/** See `Store.create`. */
export function createDocument (draft: Draft, document: string, update: Uint8Array): boolean {
  if (draft.document(document)) return false
  appendEntries(draft, [{ document, update }])
  return true
}

/** What of a snapshot takes long to copy, wrapped before the transaction. */
export interface WrappedSnapshot {
  readonly pieces: readonly Buffer[]
  /** By `encodeSetAside` */
  readonly setAside: readonly Buffer[]
}

/** See `Store.compact`. @param wrapped what `next` holds */
export function compactDocument (draft: Draft, document: string, next: NextSnapshot, { pieces, setAside }: WrappedSnapshot): SnapshotHead | undefined {
  const open = draft.document(document)
  // A number from before the document's own: the snapshot was made of another one, since removed, of the same name.
  if (!open || open.state.generation !== next.replaces || next.upTo <= open.state.base) return undefined
  const { id, state } = open
  if (next.upTo > state.lastSeq || next.upTo < state.upTo) {
    throw new RangeError(`A snapshot up to ${next.upTo} cannot stand before a log of ${state.upTo + 1} to ${state.lastSeq}`)
  }
  keepAside(draft, document, id, setAside)
  dropSnapshot(draft, open)
  state.generation = Math.max(state.generation, readCounters(draft).floor) + 1
  state.upTo = next.upTo
  state.pieces = pieces.length
  state.snapshotBytes = pieces.reduce((sum, piece) => sum + contentLength(piece), 0)
  pieces.forEach((piece, index) => {
    const key = pieceKey(id, state.generation, index)
    draft.put(key, seal(key, piece))
  })
  put(draft, knownKey(id, state.generation), next.known)
  dropLog(draft, open)
  writeState(draft, document, open, state.updatedAt)
  return { generation: state.generation, upTo: state.upTo, pieces: state.pieces, bytes: state.snapshotBytes, known: new Uint8Array(next.known) }
}

/** See `Store.removeSetAside`. */
export function removeSetAside (draft: Draft, document: string): number {
  const open = draft.document(document)
  return open ? dropSetAside(draft, open.id) : 0
}

/** See `Store.remove`. */
export function removeDocument (draft: Draft, document: string): boolean {
  const open = draft.document(document)
  if (!open) return false
  const { id, state } = open
  dropSnapshot(draft, open)
  for (const key of draft.keys(logKey(id, 0), stateKey(id))) draft.remove(key)
  draft.remove(stateKey(id))
  dropSetAside(draft, id)
  draft.remove(nameKey(document))
  draft.setDocument(document, null)
  const counters = readCounters(draft)
  writeCounters(draft, { ...counters, floor: Math.max(counters.floor, state.lastSeq, state.generation) })
  return true
}

function makeDocument (draft: Draft, document: string, now: number): OpenDocument {
  const counters = readCounters(draft)
  const row = { id: counters.nextId, createdAt: now }
  writeCounters(draft, { ...counters, nextId: counters.nextId + 1 })
  put(draft, nameKey(document), encodeRow(row))
  return { ...row, state: { ...NO_STATE, base: counters.floor, lastSeq: counters.floor } }
}

function appendUpdate (draft: Draft, { id, state }: OpenDocument, update: Uint8Array): number {
  state.lastSeq++
  state.logEntries++
  state.logBytes += update.length
  put(draft, logKey(id, state.lastSeq), update)
  return state.lastSeq
}

function dropSnapshot (draft: Draft, { id, state: { generation, pieces } }: OpenDocument): void {
  if (generation === 0) return
  for (let index = 0; index < pieces; index++) draft.remove(pieceKey(id, generation, index))
  draft.remove(knownKey(id, generation))
}

/** @throws SetAsideFull */
function keepAside (draft: Draft, document: string, id: number, records: readonly Buffer[]): void {
  if (records.length === 0) return
  const keys = keysOfSetAside(draft, id)
  const bytes = keys.reduce((sum, key) => sum + (draft.get(key)?.length ?? 0), 0)
  assertRoomToSetAside(document, { entries: keys.length, bytes })
  const last = keys.reduce((highest, key) => Math.max(highest, seqOf(key)), 0)
  records.forEach((record, index) => {
    const key = setAsideKey(id, last + 1 + index)
    draft.put(key, seal(key, record))
  })
}

function dropSetAside (draft: Draft, id: number): number {
  const keys = keysOfSetAside(draft, id)
  for (const key of keys) draft.remove(key)
  return keys.length
}

function keysOfSetAside (draft: Draft, id: number): Buffer[] {
  const { start, end } = setAsideRange(id)
  return draft.keys(start, end)
}

/** Drops what the snapshot holds, and counts what is left. */
function dropLog (draft: Draft, { id, state }: OpenDocument): void {
  const behind = logKey(id, state.upTo + 1)
  for (const key of draft.keys(logKey(id, 0), behind)) draft.remove(key)
  const left = draft.keys(behind, stateKey(id))
  state.logEntries = left.length
  state.logBytes = left.reduce((sum, key) => {
    const value = draft.get(key)
    return value ? sum + contentLength(value) : sum
  }, 0)
}

function writeState (draft: Draft, document: string, open: OpenDocument, now: number): void {
  const { id, state } = open
  state.updatedAt = now
  put(draft, stateKey(id), encodeState(state))
  draft.setDocument(document, open)
}

function put (draft: Draft, key: Buffer, content: Uint8Array): void {
  draft.put(key, seal(key, wrap(content)))
}

function readCounters (draft: Draft): Counters {
  const text = draft.get(COUNTERS)
  // Written below and nowhere else.
  return text ? JSON.parse(text.toString()) as Counters : { nextId: 1, floor: 0 }
}

function writeCounters (draft: Draft, counters: Counters): void {
  draft.put(COUNTERS, Buffer.from(JSON.stringify(counters)))
}
