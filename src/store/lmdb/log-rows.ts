import { DamagedDocument, type StoredUpdate } from '../store.ts'
import { batchCountOf, contentLength, seqOf, unseal } from './layout.ts'

const lengthBytes = 4

/** The content of an entry with several updates: for each its length, then its bytes. */
export function encodeBatch (updates: readonly Uint8Array[]): Buffer {
  const content = Buffer.allocUnsafe(updates.reduce((sum, { length }) => sum + lengthBytes + length, 0))
  let at = 0
  for (const update of updates) {
    at = content.writeUInt32BE(update.length, at)
    content.set(update, at)
    at += update.length
  }
  return content
}

/**
 * Reads the updates above `after` in one entry of a document's log.
 * @throws DamagedDocument
 */
export function updatesOf (document: string, key: Buffer, value: Buffer, after: number): StoredUpdate[] {
  const last = seqOf(key)
  const count = batchCountOf(key)
  const content = unseal(key, value)
  const first = last - (count ?? 1) + 1
  if (!content) {
    const what = first === last ? `entry ${last}` : `one of the entries ${first} to ${last}`
    throw new DamagedDocument(document, `${what} of its log fails its checksum`)
  }
  if (count === undefined) return last > after ? [{ seq: last, update: keepable(content) }] : []
  const updates: StoredUpdate[] = []
  let at = 0
  for (let seq = first; seq <= last; seq++) {
    const start = at + lengthBytes
    at = start + content.readUInt32BE(at)
    if (seq > after) updates.push({ seq, update: keepable(content.subarray(start, at)) })
  }
  return updates
}

/** The number of updates in an entry of the log, and their bytes. */
export function sizeOf (key: Buffer, value: Buffer): { readonly entries: number, readonly bytes: number } {
  const count = batchCountOf(key)
  if (count === undefined) return { entries: 1, bytes: contentLength(value) }
  return { entries: count, bytes: contentLength(value) - count * lengthBytes }
}

/** Copies into a plain array: Buffers share memory, and Yjs expects another `slice` than theirs. */
export const keepable = (content: Buffer): Uint8Array => new Uint8Array(content)
