import { crc32 } from 'node:zlib'
import { DamagedDocument } from '../store.ts'

/** Bytes of contents in one statement: this process, the server and the network hold them in memory. */
export const maxStatementBytes = 8 << 20

/** CRC-32 of a content and its place: in another place the content counts as damaged. */
export function checksum (content: Uint8Array, ...place: (string | number)[]): number {
  return crc32(place.join('\0'), crc32(content))
}

/**
 * Checks a content that was read.
 * @param what names the content in the error
 * @returns a copy of the content
 * @throws DamagedDocument if it is missing, or is not what was written there
 */
export function checked (
  document: string,
  content: Buffer | null,
  crc: number | null,
  what: string,
  ...place: (string | number)[]
): Uint8Array {
  if (content === null) throw new DamagedDocument(document, `${what} is missing`)
  if (checksum(content, ...place) !== crc) throw new DamagedDocument(document, `${what} fails its checksum`)
  return new Uint8Array(content)
}

/** The same bytes in the type that `pg` accepts. */
export function asBuffer ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

/** Several contents as parameters of one statement, which splits the bytes again. */
export function pack (contents: readonly Uint8Array[]): { starts: number[], lengths: number[], bytes: Buffer } {
  const lengths = contents.map(({ length }) => length)
  let end = 0
  const starts = lengths.map((length) => (end += length) - length)
  return { starts, lengths, bytes: Buffer.concat(contents) }
}

/** Groups items for one statement each: as many as fit, at least one. `from` is the index of a group's first item. */
export function * statementGroups<Item> (
  items: readonly Item[],
  contentOf: (item: Item) => Uint8Array
): Generator<{ from: number, group: Item[] }> {
  let group: Item[] = []
  let from = 0
  let bytes = 0
  for (const [at, item] of items.entries()) {
    const { length } = contentOf(item)
    if (group.length > 0 && bytes + length > maxStatementBytes) {
      yield { from, group }
      group = []
      from = at
      bytes = 0
    }
    group.push(item)
    bytes += length
  }
  if (group.length > 0) yield { from, group }
}
