import { crc32 } from 'node:zlib'
import { seal, sealBytes, unseal } from './layout.ts'

/** An update of the journal. */
export class JournalEntry {
  readonly document: string
  readonly documentId: number
  readonly seq: number
  /** When it was stored, ms since the epoch. */
  readonly at: number
  /** User ids. */
  readonly authors: readonly string[]
  /** Bytes of the update. */
  readonly length: number
  /** Whether the update is what was written. */
  readonly isWhole: boolean
  /** Whether it is the first entry of its document in the journal. */
  readonly isFirst: boolean
  /** Whether the entry of its document before it has the same authors. */
  readonly hasSameAuthors: boolean
  /** Holds the update: the caller's bytes until there is a record. */
  #bytes: Uint8Array
  #start = 0

  /** @param before the last entry of the same document in the journal */
  constructor (
    { document, documentId, seq, at, authors, isWhole = true }: EntryFields,
    update: Uint8Array,
    before: JournalEntry | undefined
  ) {
    this.document = document
    this.documentId = documentId
    this.seq = seq
    this.at = at
    this.authors = authors
    this.length = update.length
    this.isWhole = isWhole
    this.isFirst = before === undefined
    this.hasSameAuthors = before !== undefined && areSame(before.authors, authors)
    this.#bytes = update
  }

  /** A view, valid as long as the entry. */
  get update (): Uint8Array { return this.#bytes.subarray(this.#start, this.#start + this.length) }

  /** Copies the update into a record, which holds it from now on: the caller can use its bytes again. */
  moveTo (record: Uint8Array, start: number): void {
    record.set(this.#bytes.length === this.length ? this.#bytes : this.update, start)
    this.#bytes = record
    this.#start = start
  }
}

/** The fields of a `JournalEntry`, apart from the bytes of its update. */
export interface EntryFields {
  readonly document: string
  readonly documentId: number
  readonly seq: number
  readonly at: number
  readonly authors: readonly string[]
  /** true by default */
  readonly isWhole?: boolean
}

/** A record of the journal fails its checksum, so it cannot be said which documents it belongs to. */
export class DamagedJournal extends Error {
  override readonly name = 'DamagedJournal'
}

/** After the seal: the length of the head, the number of entries. */
const headStart = sealBytes
const entriesStart = headStart + 8
/** Document id, seq, time, length and checksum of the update, flags. */
const fixedBytes = 6 + 6 + 6 + 4 + 4 + 1
const flags = { name: 1, authors: 2 } as const
/** Before each text: its length. */
const lengthBytes = 2
/** Before the authors: their number. */
const countBytes = 2

/**
 * Encodes the updates of one commit: a head, then the bytes of all updates. The head is sealed. It holds everything but
 * the bytes of the updates, and a checksum of each of these, so that damage there is damage to one document. The name
 * of a document, and authors who stay the same, are written once between two folds.
 */
export function encodeRecord (key: Buffer, entries: readonly JournalEntry[]): Buffer {
  const headEnd = entries.reduce((end, entry) => end + headBytesOf(entry), entriesStart)
  const record = Buffer.allocUnsafeSlow(entries.reduce((end, { length }) => end + length, headEnd))
  record.writeUInt32BE(headEnd - headStart, headStart)
  record.writeUInt32BE(entries.length, headStart + 4)
  let at = entriesStart
  let bodyAt = headEnd
  for (const entry of entries) {
    entry.moveTo(record, bodyAt)
    at = writeHead(record, at, entry, checksum(record, bodyAt, bodyAt += entry.length))
  }
  sealHead(key, record, headEnd)
  return record
}

function headBytesOf ({ document, authors, isFirst, hasSameAuthors }: JournalEntry): number {
  let bytes = fixedBytes
  if (isFirst) bytes += lengthBytes + Buffer.byteLength(document)
  if (!hasSameAuthors) {
    bytes += countBytes
    for (const author of authors) bytes += lengthBytes + Buffer.byteLength(author)
  }
  return bytes
}

function writeHead (record: Buffer, from: number, entry: JournalEntry, sum: number): number {
  let at = writeU48(record, entry.documentId, from)
  at = writeU48(record, entry.seq, at)
  at = writeU48(record, entry.at, at)
  at = record.writeUInt32BE(entry.length, at)
  at = record.writeUInt32BE(sum, at)
  at = record.writeUInt8((entry.isFirst ? flags.name : 0) | (entry.hasSameAuthors ? 0 : flags.authors), at)
  if (entry.isFirst) at = writeText(record, entry.document, at)
  if (!entry.hasSameAuthors) {
    at = record.writeUInt16BE(entry.authors.length, at)
    for (const author of entry.authors) at = writeText(record, author, at)
  }
  return at
}

/** Faster than `writeUIntBE`. */
function writeU48 (record: Buffer, value: number, at: number): number {
  const high = Math.floor(value / 2 ** 32)
  return record.writeUInt32BE(value - high * 2 ** 32, record.writeUInt16BE(high, at))
}

function writeText (record: Buffer, text: string, at: number): number {
  const length = record.write(text, at + lengthBytes)
  record.writeUInt16BE(length, at)
  return at + lengthBytes + length
}

/**
 * Decodes a record of the journal.
 * @param before the last entry of each document in the records before, by document id. An entry that continues a
 * document without one is left out: that document was folded when those records were removed.
 * @throws DamagedJournal
 */
export function decodeRecord (key: Buffer, value: Buffer, before: Map<number, JournalEntry>): JournalEntry[] {
  const headEnd = value.length < entriesStart ? 0 : headStart + value.readUInt32BE(headStart)
  if (!unseal(key, value.subarray(0, headEnd))) throw new DamagedJournal('The journal of the store fails a checksum, so the last updates of some documents are lost: restore a backup')
  const entries: JournalEntry[] = []
  const count = value.readUInt32BE(headStart + 4)
  let at = entriesStart
  let bodyAt = headEnd
  for (let index = 0; index < count; index++) {
    const documentId = value.readUIntBE(at, 6)
    const last = before.get(documentId)
    const has = value.readUInt8(at + fixedBytes - 1)
    const [seq, time, length] = [value.readUIntBE(at + 6, 6), value.readUIntBE(at + 12, 6), value.readUInt32BE(at + 18)]
    const sum = value.readUInt32BE(at + 22)
    at += fixedBytes
    let document = last?.document
    if ((has & flags.name) !== 0) [document, at] = readText(value, at)
    let authors = last?.authors ?? []
    if ((has & flags.authors) !== 0) [authors, at] = readTexts(value, at)
    const isWhole = checksum(value, bodyAt, bodyAt + length) === sum
    const update = value.subarray(bodyAt, bodyAt += length)
    if (document === undefined) continue
    const fields = { document, documentId, seq, at: time, authors, isWhole }
    const entry = new JournalEntry(fields, update, (has & flags.name) !== 0 ? undefined : last)
    before.set(documentId, entry)
    entries.push(entry)
  }
  return entries
}

function readText (value: Buffer, at: number): [string, number] {
  const start = at + lengthBytes
  const end = start + value.readUInt16BE(at)
  return [value.toString('utf8', start, end), end]
}

function readTexts (value: Buffer, from: number): [string[], number] {
  const texts: string[] = []
  let at = from + countBytes
  for (let left = value.readUInt16BE(from); left > 0; left--) {
    const [text, end] = readText(value, at)
    texts.push(text)
    at = end
  }
  return [texts, at]
}

function sealHead (key: Buffer, record: Buffer, headEnd: number): void {
  record.writeUInt32BE(crc32(record.subarray(sealBytes, headEnd)), 0)
  seal(key, record)
}

/** Bytes up to which a loop is faster than a call of zlib. */
const smallBytes = 256

/** CRC-32 of the bytes from `start` to `end`; FNV-1a if they are few. */
function checksum (bytes: Buffer, start: number, end: number): number {
  if (end - start > smallBytes) return crc32(bytes.subarray(start, end))
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return hash >>> 0
}

function areSame (one: readonly string[], other: readonly string[]): boolean {
  if (one === other) return true
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}
