import { crc32 } from 'node:zlib'
import type { SetAsideUpdate, Tombstone } from '../store.ts'

/**
 * The version of the layout of a data file: one LMDB tree, in which the first byte of a key is the kind of its value,
 * so that everything of a document is a range of keys:
 *
 *     00 name                         the store's own records (text: JSON)
 *     01 name of document (UTF-8)     document id, created at
 *     02 document id, generation, n   piece n of a snapshot; n = ffffffff: what the snapshot knows
 *     03 document id, seq, count      `count` updates, the last of which is `seq`
 *     03 document id, seq             one update, written by layout 1
 *     03 document id, ffffffffffff    the document's state, and who has written since its log began
 *     04 document id, n               an update set aside: when, the reason (its length before it), the update
 *     05 commit                       the journal: the updates of one commit, of all documents (`journal-record.ts`)
 *     06 name of document (UTF-8)     the tombstone of the name: when, what was deleted
 *
 * An append writes only to the journal. Within a minute the updates of a document are folded: they move to its log
 * and its state, all in one entry. So a commit takes a few pages, not one for each document. An update of the journal
 * counts if its number is above the last one in its document's state; then it is not folded yet. The state comes after
 * the updates, so that mostly one page holds both. Numbers are big-endian, so that keys sort as the numbers do; ids,
 * seqs, generations, commits and times have 48 bits. Every value except the store's own records is sealed: the CRC-32
 * of the content, mixed with the key, comes before it.
 *
 * A kind that is added needs no new version if programs that do not know it can copy its entries and work without it:
 * document ids are never used twice.
 */
export const layoutVersion = 2

/** The layouts that this version can read. Layout 1 has no journal. */
export const readableLayouts: readonly number[] = [1, layoutVersion]

const kinds = { own: 0, name: 1, piece: 2, log: 3, setAside: 4, journal: 5, tombstone: 6 } as const

const u48Bytes = 6
const u16Bytes = 2
const knownIndex = 0xffffffff
const maxU48 = 2 ** 48 - 1
const stateSeq = maxU48
/** Bytes before a sealed value. */
export const sealBytes = 4

/** The entry under a document's name. */
export interface DocumentRow {
  readonly id: number
  /** ms since the epoch. */
  readonly createdAt: number
}

/** The part of a document that changes with each write. */
export interface DocumentState {
  /** Numbers up to this one were given out before the document was created, perhaps to another of the same name. */
  base: number
  lastSeq: number
  logBytes: number
  logEntries: number
  updatedAt: number
  /** 0: there is no snapshot. */
  generation: number
  upTo: number
  pieces: number
  snapshotBytes: number
}

/** The state of a new document. */
export const noState: DocumentState = {
  base: 0,
  lastSeq: 0,
  logBytes: 0,
  logEntries: 0,
  updatedAt: 0,
  generation: 0,
  upTo: 0,
  pieces: 0,
  snapshotBytes: 0,
}

const stateFields = [
  'base', 'lastSeq', 'logBytes', 'logEntries', 'updatedAt', 'generation', 'upTo', 'pieces', 'snapshotBytes',
] as const

const stateBytes = stateFields.length * u48Bytes

const noAuthors = new Uint8Array()

/** The key of one of the store's own records. */
export const ownKey = (name: string): Buffer => text(kinds.own, name)
/** The key of the record with the next document id and the floor under new numbers. */
export const countersKey = ownKey('counters')
/** The key of a document's entry. */
export const nameKey = (document: string): Buffer => text(kinds.name, document)
/** The key of a piece of a snapshot. */
export const pieceKey = (
  id: number,
  generation: number,
  index: number
): Buffer => numbers(kinds.piece, id, generation, index)
/** The key of a snapshot's state vector and delete set. */
export const knownKey = (id: number, generation: number): Buffer => pieceKey(id, generation, knownIndex)
/** The key of one update in the log. */
export const logKey = (id: number, seq: number): Buffer => numbers(kinds.log, id, seq)
/** The key of `count` updates in the log, the last of which is `seq`. */
export const logBatchKey = (id: number, seq: number, count: number): Buffer => numbers(kinds.log, id, seq, count)
/** The number of updates under a key of the log; undefined: it is one update of layout 1. */
export const batchCountOf = (key: Buffer): number | undefined => {
  return key.length > 1 + 2 * u48Bytes ? key.readUInt32BE(1 + 2 * u48Bytes) : undefined
}
/** The key of the journal's record of a commit. */
export const journalKey = (commit: number): Buffer => {
  const key = Buffer.allocUnsafe(1 + u48Bytes)
  key[0] = kinds.journal
  key.writeUIntBE(commit, 1, u48Bytes)
  return key
}
/** The commit in the key of a journal's record. */
export const commitOf = (key: Buffer): number => key.readUIntBE(1, u48Bytes)
/** The keys of the whole journal. A new object each time: LMDB keeps things of its own in it. */
export const journalRange = (): { start: Buffer, end: Buffer } => ({ start: journalKey(0), end: journalKey(maxU48) })
/** The key of a document's state, after those of its log. */
export const stateKey = (id: number): Buffer => logKey(id, stateSeq)
/** The key of an update set aside. */
export const setAsideKey = (id: number, seq: number): Buffer => numbers(kinds.setAside, id, seq)
/** The keys of all updates set aside of a document. */
export const setAsideRange = (id: number): { start: Buffer, end: Buffer } => ({
  start: setAsideKey(id, 0),
  end: setAsideKey(id, maxU48),
})

/** The key of a name's tombstone. */
export const tombstoneKey = (document: string): Buffer => text(kinds.tombstone, document)
/** The keys of all tombstones. A new object each time, as `journalRange`. */
export const tombstoneRange = (): { start: Buffer, end: Buffer } => ({
  start: tombstoneKey(''),
  end: Buffer.from([kinds.tombstone + 1]),
})

/** The end of the names of documents, which begin at `nameKey('')`. */
export const namesEnd = Buffer.from([kinds.name + 1])

/** The sequence number in a key of the log or of an update set aside. */
export const seqOf = (key: Buffer): number => key.readUIntBE(1 + u48Bytes, u48Bytes)
/** The name in the key of a document's entry. */
export const documentOf = (key: Buffer): string => key.toString('utf8', 1)

function text (kind: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(name))
  key[0] = kind
  key.write(name, 1)
  return key
}

function numbers (kind: number, id: number, second: number, third?: number): Buffer {
  const key = Buffer.allocUnsafe(1 + 2 * u48Bytes + (third === undefined ? 0 : 4))
  key[0] = kind
  key.writeUIntBE(id, 1, u48Bytes)
  key.writeUIntBE(second, 1 + u48Bytes, u48Bytes)
  if (third !== undefined) key.writeUInt32BE(third, 1 + 2 * u48Bytes)
  return key
}

/** The bytes of a document's entry. */
export function encodeRow ({ id, createdAt }: DocumentRow): Buffer {
  const row = Buffer.allocUnsafe(2 * u48Bytes)
  row.writeUIntBE(id, 0, u48Bytes)
  row.writeUIntBE(createdAt, u48Bytes, u48Bytes)
  return row
}

/** Reads a document's entry. */
export const decodeRow = (row: Buffer): DocumentRow => ({
  id: row.readUIntBE(0, u48Bytes),
  createdAt: row.readUIntBE(u48Bytes, u48Bytes),
})

/** The bytes of a document's state. @param authors as `encodeAuthors` returns them */
export function encodeState (state: DocumentState, authors: Uint8Array = noAuthors): Buffer {
  const record = Buffer.allocUnsafe(stateBytes + authors.length)
  stateFields.forEach((field, at) => record.writeUIntBE(state[field], at * u48Bytes, u48Bytes))
  record.set(authors, stateBytes)
  return record
}

/** The authors in the bytes of a document's state. @returns a copy, for `decodeAuthors` */
export const authorsIn = (record: Buffer): Buffer => Buffer.from(record.subarray(stateBytes))

/** Reads a document's state. */
export function decodeState (record: Buffer): DocumentState {
  const at = (index: number) => record.readUIntBE(index * u48Bytes, u48Bytes)
  return {
    base: at(0),
    lastSeq: at(1),
    logBytes: at(2),
    logEntries: at(3),
    updatedAt: at(4),
    generation: at(5),
    upTo: at(6),
    pieces: at(7),
    snapshotBytes: at(8),
  }
}

/** The bytes of a tombstone. */
export function encodeTombstone ({ deleted, at }: Tombstone): Buffer {
  const record = Buffer.allocUnsafe(u48Bytes + deleted.length)
  record.writeUIntBE(at, 0, u48Bytes)
  record.set(deleted, u48Bytes)
  return record
}

/** Reads a tombstone. */
export const decodeTombstone = (record: Buffer): Tombstone => ({
  at: record.readUIntBE(0, u48Bytes),
  deleted: new Uint8Array(record.subarray(u48Bytes)),
})

/** The bytes of an update set aside at `at` (ms since the epoch). @param reason as `keptReason` returns it */
export function encodeSetAside ({ update, reason }: SetAsideUpdate, at: number): Buffer {
  const text = Buffer.from(reason)
  const head = Buffer.allocUnsafe(u48Bytes + u16Bytes)
  head.writeUIntBE(at, 0, u48Bytes)
  head.writeUInt16BE(text.length, u48Bytes)
  return Buffer.concat([head, text, update])
}

/** Reads an update set aside. */
export function decodeSetAside (record: Buffer): SetAsideUpdate & { readonly at: number } {
  const start = u48Bytes + u16Bytes
  const end = start + record.readUInt16BE(u48Bytes)
  return {
    at: record.readUIntBE(0, u48Bytes),
    reason: record.toString('utf8', start, end),
    update: new Uint8Array(record.subarray(end)),
  }
}

/**
 * Copies `content`, with the first half of its seal before it. This half takes long for much content; `seal` does the
 * other.
 */
export function wrap (content: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(sealBytes + content.length)
  value.writeUInt32BE(crc32(content), 0)
  value.set(content, sealBytes)
  return value
}

/** Completes the seal of a wrapped value with its key, in place: read under another key the value is damaged. */
export function seal (key: Buffer, wrapped: Buffer): Buffer {
  wrapped.writeUInt32BE((wrapped.readUInt32BE(0) ^ mark(key)) >>> 0, 0)
  return wrapped
}

/** Makes a sealed value fail its checksum, in place. */
export function breakSeal (value: Buffer): Buffer {
  value.writeUInt32BE(~value.readUInt32BE(0) >>> 0, 0)
  return value
}

/** @returns a view of the content; undefined if the seal shows that something else was written under this key */
export function unseal (key: Buffer, value: Buffer): Buffer | undefined {
  if (value.length < sealBytes) return undefined
  const content = value.subarray(sealBytes)
  return value.readUInt32BE(0) === (crc32(content) ^ mark(key)) >>> 0 ? content : undefined
}

/** FNV-1a of the key, which is faster for a few bytes than a call of zlib's CRC. */
function mark (key: Buffer): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ (key[at] ?? 0), 0x01000193)
  return hash
}

/** The bytes of a sealed value's content. */
export const contentLength = (value: Buffer): number => value.length - sealBytes
