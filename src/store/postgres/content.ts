import { crc32 } from 'node:zlib'
import { DamagedDocument } from '../store.ts'

/** Most that goes into one statement together: it is held in memory here, there and on the way. */
export const MAX_STATEMENT_BYTES = 8 << 20

/** CRC-32 over the content and what it is the content of: in another place it counts as damaged. */
export function checksum (content: Uint8Array, ...place: (string | number)[]): number {
  return crc32(place.join('\0'), crc32(content))
}

/** @returns the content as an array of its own @throws DamagedDocument where it is missing, or is not what was written there */
export function checked (document: string, content: Buffer | null, crc: number | null, what: string, ...place: (string | number)[]): Uint8Array {
  if (content === null) throw new DamagedDocument(document, `${what} is missing`)
  if (checksum(content, ...place) !== crc) throw new DamagedDocument(document, `${what} fails its checksum`)
  return new Uint8Array(content)
}

/** The same bytes, as `pg` takes them. */
export const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

/** Several contents as parameters of one statement, which takes the bytes apart again. */
export function pack (contents: readonly Uint8Array[]): { starts: number[], lengths: number[], bytes: Buffer } {
  const lengths = contents.map(({ length }) => length)
  let end = 0
  const starts = lengths.map((length) => (end += length) - length)
  return { starts, lengths, bytes: Buffer.concat(contents) }
}

/** Items in groups for one statement each: as many as fit, and at least one. `from` is the index of a group's first. */
export function * statementGroups<Item> (items: readonly Item[], contentOf: (item: Item) => Uint8Array): Generator<{ from: number, group: Item[] }> {
  let group: Item[] = []
  let from = 0
  let bytes = 0
  for (const [at, item] of items.entries()) {
    const { length } = contentOf(item)
    if (group.length > 0 && bytes + length > MAX_STATEMENT_BYTES) {
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
