import { maxAuthors } from '../authors.ts'

/** The last update of each person: user id → sequence number. */
export type Authors = Map<string, number>

const u48Bytes = 6
const u16Bytes = 2

/** The authors in their bytes. */
export function decodeAuthors (bytes: Buffer): Authors {
  const authors: Authors = new Map()
  for (let at = 0; at < bytes.length;) {
    const seq = bytes.readUIntBE(at, u48Bytes)
    const start = at + u48Bytes + u16Bytes
    at = start + bytes.readUInt16BE(at + u48Bytes)
    authors.set(bytes.toString('utf8', start, at), seq)
  }
  return authors
}

/** The bytes of the authors who wrote last: for each the sequence number, the length of the user id, the user id. */
export function encodeAuthors (authors: Authors): Buffer {
  const kept = authors.size > maxAuthors ? [...authors].sort(([, a], [, b]) => b - a).slice(0, maxAuthors) : authors
  return Buffer.concat(Array.from(kept, ([author, seq]) => {
    const entry = Buffer.alloc(u48Bytes + u16Bytes + Buffer.byteLength(author))
    entry.writeUIntBE(seq, 0, u48Bytes)
    entry.writeUInt16BE(entry.length - u48Bytes - u16Bytes, u48Bytes)
    entry.write(author, u48Bytes + u16Bytes)
    return entry
  }))
}
