import { ByteReader } from './byte-reader.ts'
import { ByteWriter, varUintSize } from './byte-writer.ts'
import { ClientRanges } from './ranges.ts'

/** The deleted clocks of each client. Equal sets have equal bytes, the same that Yjs writes for these deletions. */
export class DeleteSet extends ClientRanges {
  /** The set without any range. Shared, so it rejects changes. */
  static readonly empty: DeleteSet = new this()

  /** A set with the ranges of all sets, which stay as they are. */
  static union (sets: readonly DeleteSet[]): DeleteSet {
    const filled = sets.filter((set) => !set.isEmpty)
    if (filled.length < 2) return filled[0] ?? DeleteSet.empty
    const union = new DeleteSet()
    for (const set of filled) union.addAll(set)
    return union
  }

  /**
   * Reads the set at the end of an update. Its ranges can be unsorted and overlap, which Yjs accepts too.
   * @throws MalformedUpdate
   */
  static read (reader: ByteReader): DeleteSet {
    const set = new DeleteSet()
    for (let clients = reader.varUint(); clients > 0; clients--) {
      const client = reader.varUint()
      for (let left = reader.varUint(); left > 0; left--) {
        const clock = reader.varUint()
        const end = clock + reader.varUint()
        if (end > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
        if (end > clock) set.addRange(client, clock, end)
      }
    }
    return set
  }

  /** Decodes a set. @throws MalformedUpdate also if bytes follow it */
  static decode (bytes: Uint8Array): DeleteSet {
    const reader = new ByteReader(bytes)
    const set = DeleteSet.read(reader)
    reader.finish()
    return set
  }

  /** Adds a range. @param length in clocks; 0 adds nothing */
  add (client: number, clock: number, length: number): void {
    if (length > 0) this.addRange(client, clock, clock + length)
  }

  override addRange (client: number, start: number, end: number): void {
    if (this === DeleteSet.empty) throw new TypeError('DeleteSet.empty is shared and cannot be changed.')
    super.addRange(client, start, end)
  }

  /** The bytes at the end of an update (V1). */
  encode (): Uint8Array {
    const writer = new ByteWriter(16 + this.size * 4)
    this.write(writer)
    return writer.finish()
  }

  /**
   * The set in pieces, each of a limited size; none if it is empty.
   * @param firstBytes limit of the first piece, which is empty if nothing fits
   * @param bytes limit of the other pieces, which hold at least one range each
   */
  encodePieces (firstBytes: number, bytes: number): Uint8Array[] {
    return [...this.encodingPieces(firstBytes, bytes)]
  }

  /** The same pieces one by one, of the set at the first step. A piece of 256 KiB takes a millisecond or two. */
  * encodingPieces (firstBytes: number, bytes: number): Generator<Uint8Array, void, void> {
    const triples = this.pack()
    for (let from = 0, isFirst = true; from < triples.length; isFirst = false) {
      const to = endOfPiece(triples, from, isFirst ? firstBytes : bytes)
      const end = isFirst ? to : Math.max(to, from + 3)
      yield encodeTriples(triples, from, end)
      from = end
    }
  }

  /** Writes the bytes at the end of an update (V1). */
  write (writer: ByteWriter): void {
    const counts = this.#countByClient()
    writer.varUint(counts.length)
    let section = 0
    let left = 0
    for (const part of this.parts) {
      for (let i = 0; i < part.length; i += 3) {
        if (left === 0) {
          left = counts[section++]!
          writer.varUint(part[i]!)
          writer.varUint(left)
        }
        left--
        writer.varUint(part[i + 1]!)
        writer.varUint(part[i + 2]! - part[i + 1]!)
      }
    }
  }

  /** The number of ranges of each client, in the order of the clients. */
  #countByClient (): number[] {
    const counts: number[] = []
    let client = -1
    for (const part of this.parts) {
      for (let i = 0; i < part.length; i += 3) {
        if (part[i] === client) counts[counts.length - 1]!++
        else counts.push(1)
        client = part[i]!
      }
    }
    return counts
  }
}

/** Bytes of a delete set's number of clients, and of a client's number of ranges, which are below 2^28 in memory. */
const countBytes = 4

/** Finds the offset up to which the ranges from `from` on fit into this many bytes. */
function endOfPiece (triples: ArrayLike<number>, from: number, bytes: number): number {
  let size = countBytes
  let last = -1
  for (let i = from; i < triples.length; i += 3) {
    const client = triples[i]!
    const start = triples[i + 1]!
    if (client !== last) size += countBytes + varUintSize(client)
    size += varUintSize(start) + varUintSize(triples[i + 2]! - start)
    if (size > bytes) return i
    last = client
  }
  return triples.length
}

function encodeTriples (triples: ArrayLike<number>, from: number, to: number): Uint8Array {
  const sections: number[] = []
  for (let i = from; i < to; i += 3) if (i === from || triples[i] !== triples[i - 3]) sections.push(i)
  const writer = new ByteWriter(16 + (to - from) * 2)
  writer.varUint(sections.length)
  for (const [section, start] of sections.entries()) {
    const end = sections[section + 1] ?? to
    writer.varUint(triples[start]!)
    writer.varUint((end - start) / 3)
    for (let i = start; i < end; i += 3) {
      writer.varUint(triples[i + 1]!)
      writer.varUint(triples[i + 2]! - triples[i + 1]!)
    }
  }
  return writer.finish()
}

/**
 * Passes a delete set, with all checks of `DeleteSet.read`.
 * @param maxRanges a set with more is rejected before they are read
 * @param strict also rejects what no writer writes and Yjs cannot keep for later: empty ranges, ranges that do not
 *   ascend, a client twice
 * @returns the number of its ranges that are not empty
 */
export function skipDeleteSet (reader: ByteReader, maxRanges: number, strict: boolean): number {
  let filled = 0
  let announced = 0
  let seen: Set<number> | null = null
  const clients = reader.varUint()
  if (clients > maxRanges) reader.fail('it deletes of too many clients')
  for (let left = clients; left > 0; left--) {
    const client = reader.varUint()
    if (strict && seen?.has(client) === true) reader.fail('a client has two lists of deletions')
    if (strict && left > 1) (seen ??= new Set()).add(client)
    const ranges = reader.varUint()
    announced += ranges
    if (announced > maxRanges) reader.fail('it deletes too many ranges')
    filled += skipRanges(reader, ranges, strict)
  }
  return filled
}

/** @returns the number of ranges that are not empty */
function skipRanges (reader: ByteReader, ranges: number, strict: boolean): number {
  let filled = 0
  let end = 0
  for (let left = ranges; left > 0; left--) {
    const clock = reader.varUint()
    const length = reader.varUint()
    if (clock + length > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
    if (strict && length === 0) reader.fail('a deletion is empty')
    if (strict && clock < end) reader.fail('deletions do not ascend')
    end = clock + length
    if (length > 0) filled++
  }
  return filled
}
