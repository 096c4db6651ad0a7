import { crc32 } from 'node:zlib'
import type { SetAsideUpdate } from '../store.ts'

/**
 * Where things lie in the data file. One LMDB tree; the first byte of a key says what it holds, so that everything
 * of a document is a range of keys:
 *
 *     00 name                         the store's own records (text: JSON)
 *     01 name of document (UTF-8)     document id, created at
 *     02 document id, generation, n   piece n of a snapshot; n = ffffffff: what the snapshot knows
 *     03 document id, seq             an update; seq = ffffffffffff: the document's state
 *     04 document id, n               an update set aside: when, the reason (its length before it), the update
 *
 * The state stands behind the updates because that is where each append writes: mostly one page for both.
 * Numbers are big-endian, so that keys sort as the numbers do; ids, seqs, generations and times have 48 bits. Every
 * value but the store's own is sealed: the CRC-32 of the content, mixed with the key, stands before it.
 *
 * Versions that do not know kind 04 leave such entries alone, copy them, and use no document id twice: no other layout.
 */
export const LAYOUT = 1

const OWN = 0
const NAME = 1
const PIECE = 2
const LOG = 3
const SET_ASIDE = 4

const U48 = 6
const U16 = 2
const KNOWN_INDEX = 0xffffffff
const MAX_U48 = 2 ** 48 - 1
const STATE_SEQ = MAX_U48
const SEAL_BYTES = 4

export interface DocumentRow {
  readonly id: number
  readonly createdAt: number
}

/** What changes with each write to a document. */
export interface DocumentState {
  /** Numbers up to here were given out before this document came into being, to another of the same name perhaps */
  base: number
  lastSeq: number
  logBytes: number
  logEntries: number
  updatedAt: number
  /** 0: there is no snapshot */
  generation: number
  upTo: number
  pieces: number
  snapshotBytes: number
}

export const NO_STATE: DocumentState = { base: 0, lastSeq: 0, logBytes: 0, logEntries: 0, updatedAt: 0, generation: 0, upTo: 0, pieces: 0, snapshotBytes: 0 }

const STATE_FIELDS = ['base', 'lastSeq', 'logBytes', 'logEntries', 'updatedAt', 'generation', 'upTo', 'pieces', 'snapshotBytes'] as const

export const ownKey = (name: string): Buffer => text(OWN, name)
/** Document ids, and the floor under new numbers */
export const COUNTERS = ownKey('counters')
export const nameKey = (document: string): Buffer => text(NAME, document)
export const pieceKey = (id: number, generation: number, index: number): Buffer => numbers(PIECE, id, generation, index)
export const knownKey = (id: number, generation: number): Buffer => pieceKey(id, generation, KNOWN_INDEX)
export const logKey = (id: number, seq: number): Buffer => numbers(LOG, id, seq)
export const stateKey = (id: number): Buffer => logKey(id, STATE_SEQ)
export const setAsideKey = (id: number, seq: number): Buffer => numbers(SET_ASIDE, id, seq)
/** Keys of everything that is set aside of a document. */
export const setAsideRange = (id: number): { start: Buffer, end: Buffer } => ({ start: setAsideKey(id, 0), end: setAsideKey(id, MAX_U48) })

/** All keys below this one and from `nameKey('')` on are names of documents. */
export const namesEnd = Buffer.from([NAME + 1])

export const seqOf = (key: Buffer): number => key.readUIntBE(1 + U48, U48)
export const documentOf = (key: Buffer): string => key.toString('utf8', 1)

function text (kind: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(name))
  key[0] = kind
  key.write(name, 1)
  return key
}

function numbers (kind: number, id: number, second: number, third?: number): Buffer {
  const key = Buffer.allocUnsafe(1 + 2 * U48 + (third === undefined ? 0 : 4))
  key[0] = kind
  key.writeUIntBE(id, 1, U48)
  key.writeUIntBE(second, 1 + U48, U48)
  if (third !== undefined) key.writeUInt32BE(third, 1 + 2 * U48)
  return key
}

export function encodeRow ({ id, createdAt }: DocumentRow): Buffer {
  const row = Buffer.allocUnsafe(2 * U48)
  row.writeUIntBE(id, 0, U48)
  row.writeUIntBE(createdAt, U48, U48)
  return row
}

export const decodeRow = (row: Buffer): DocumentRow => ({ id: row.readUIntBE(0, U48), createdAt: row.readUIntBE(U48, U48) })

export function encodeState (state: DocumentState): Buffer {
  const record = Buffer.allocUnsafe(STATE_FIELDS.length * U48)
  STATE_FIELDS.forEach((field, at) => record.writeUIntBE(state[field], at * U48, U48))
  return record
}

export function decodeState (record: Buffer): DocumentState {
  const at = (index: number) => record.readUIntBE(index * U48, U48)
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

/** @param reason as `keptReason` returns it */
export function encodeSetAside ({ update, reason }: SetAsideUpdate, at: number): Buffer {
  const text = Buffer.from(reason)
  const head = Buffer.allocUnsafe(U48 + U16)
  head.writeUIntBE(at, 0, U48)
  head.writeUInt16BE(text.length, U48)
  return Buffer.concat([head, text, update])
}

export function decodeSetAside (record: Buffer): SetAsideUpdate & { readonly at: number } {
  const start = U48 + U16
  const end = start + record.readUInt16BE(U48)
  return { at: record.readUIntBE(0, U48), reason: record.toString('utf8', start, end), update: new Uint8Array(record.subarray(end)) }
}

/** A copy of `content` with room for its seal, and half of it: what takes long where there is much content. */
export function wrap (content: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(SEAL_BYTES + content.length)
  value.writeUInt32BE(crc32(content), 0)
  value.set(content, SEAL_BYTES)
  return value
}

/** Makes a wrapped value the one of its key: read under another it is damaged. */
export function seal (key: Buffer, wrapped: Buffer): Buffer {
  wrapped.writeUInt32BE((wrapped.readUInt32BE(0) ^ mark(key)) >>> 0, 0)
  return wrapped
}

/** @returns a view of the content, undefined where the seal says that it is not what was written under this key */
export function unseal (key: Buffer, value: Buffer): Buffer | undefined {
  if (value.length < SEAL_BYTES) return undefined
  const content = value.subarray(SEAL_BYTES)
  return value.readUInt32BE(0) === (crc32(content) ^ mark(key)) >>> 0 ? content : undefined
}

/** FNV-1a. A second CRC would do as well, but a call out of JavaScript takes longer than these few bytes. */
function mark (key: Buffer): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ (key[at] ?? 0), 0x01000193)
  return hash
}

export const contentLength = (value: Buffer): number => value.length - SEAL_BYTES
