import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { addRange, containsRanges, normalize, unite, type Ranges } from './ranges.ts'

/** Ranges that are added one by one (each may move half of a long list); more are merged in, which looks at each range once. In clocks, two to a range. */
const fewClocks = 32

/**
 * Which clocks of which clients are deleted: sorted, disjoint ranges per client.
 * Equal sets have equal bytes, the same that Yjs writes for a document whose deletions are these.
 */
export class DeleteSet {
  /** The set without any range; shared, so it must stay so. */
  static readonly empty: DeleteSet = new this()

  #clients = new Map<number, Ranges>()

  /** One set that holds them all, in time linear in their ranges (times the logarithm of their number). */
  static union (sets: readonly DeleteSet[]): DeleteSet {
    const filled = sets.filter((set) => !set.isEmpty)
    const first = filled[0]
    if (first === undefined) return DeleteSet.empty
    if (filled.length === 1) return first
    const byClient = new Map<number, Ranges[]>()
    for (const set of filled) {
      for (const [client, ranges] of set.#clients) {
        const others = byClient.get(client)
        if (others === undefined) byClient.set(client, [ranges])
        else others.push(ranges)
      }
    }
    const union = new DeleteSet()
    for (const [client, lists] of byClient) union.#clients.set(client, unite(lists))
    return union
  }

  /**
   * Reads a set as it stands at the end of an update. Ranges may come unsorted and overlap, as Yjs accepts that too.
   * @throws MalformedUpdate
   */
  static read (reader: ByteReader): DeleteSet {
    const set = new DeleteSet()
    for (let left = reader.varUint(); left > 0; left--) {
      const client = reader.varUint()
      const ranges = set.#clients.get(client) ?? []
      readRanges(reader, ranges)
      if (ranges.length > 0) set.#clients.set(client, normalize(ranges))
    }
    return set
  }

  /** @param triples client, clock, length, client, clock, … in any order */
  static from (triples: readonly number[]): DeleteSet {
    const set = new DeleteSet()
    for (let i = 0; i < triples.length; i += 3) {
      const [client, clock, length] = [triples[i]!, triples[i + 1]!, triples[i + 2]!]
      if (length === 0) continue
      const ranges = set.#clients.get(client)
      if (ranges === undefined) set.#clients.set(client, [clock, clock + length])
      else pushOrExtend(ranges, clock, clock + length)
    }
    for (const [client, ranges] of set.#clients) set.#clients.set(client, normalize(ranges))
    return set
  }

  /** @throws MalformedUpdate also when bytes follow it */
  static decode (bytes: Uint8Array): DeleteSet {
    const reader = new ByteReader(bytes)
    const set = DeleteSet.read(reader)
    reader.finish()
    return set
  }

  get isEmpty (): boolean {
    return this.#clients.size === 0
  }

  /** Number of ranges. */
  get size (): number {
    let size = 0
    for (const ranges of this.#clients.values()) size += ranges.length / 2
    return size
  }

  /** The clients that have deletions, in the order Yjs writes them: highest first. */
  clients (): number[] {
    return [...this.#clients.keys()].sort((a, b) => b - a)
  }

  /** The ranges of one client, flat: start, end (exclusive), start, end, … ascending. Not to be changed. */
  rangesOf (client: number): readonly number[] {
    return this.#clients.get(client) ?? []
  }

  /** @param length in clocks; 0 adds nothing */
  add (client: number, clock: number, length: number): void {
    if (length === 0) return
    this.#refuseIfShared()
    const ranges = this.#clients.get(client)
    if (ranges === undefined) this.#clients.set(client, [clock, clock + length])
    else addRange(ranges, clock, clock + length)
  }

  /** @returns whether that added anything */
  addAll (other: DeleteSet): boolean {
    if (this.contains(other)) return false
    this.#refuseIfShared()
    for (const [client, theirs] of other.#clients) {
      const ours = this.#clients.get(client)
      if (ours === undefined) this.#clients.set(client, theirs.slice())
      else if (theirs.length <= fewClocks) addEach(ours, theirs)
      else this.#clients.set(client, unite([ours, theirs]))
    }
    return true
  }

  contains (other: DeleteSet): boolean {
    for (const [client, theirs] of other.#clients) {
      const ours = this.#clients.get(client)
      if (ours === undefined || !containsRanges(ours, theirs)) return false
    }
    return true
  }

  equals (other: DeleteSet): boolean {
    if (this.#clients.size !== other.#clients.size) return false
    for (const [client, theirs] of other.#clients) {
      const ours = this.#clients.get(client)
      if (ours === undefined || ours.length !== theirs.length) return false
      if (!ours.every((clock, i) => clock === theirs[i])) return false
    }
    return true
  }

  clone (): DeleteSet {
    const copy = new DeleteSet()
    for (const [client, ranges] of this.#clients) copy.#clients.set(client, ranges.slice())
    return copy
  }

  /** The bytes that end an update (V1). */
  encode (): Uint8Array {
    const writer = new ByteWriter(16 + this.size * 4)
    this.write(writer)
    return writer.finish()
  }

  write (writer: ByteWriter): void {
    writer.varUint(this.#clients.size)
    for (const client of this.clients()) {
      const ranges = this.rangesOf(client)
      writer.varUint(client)
      writer.varUint(ranges.length / 2)
      for (let i = 0; i < ranges.length; i += 2) {
        writer.varUint(ranges[i]!)
        writer.varUint(ranges[i + 1]! - ranges[i]!)
      }
    }
  }

  #refuseIfShared (): void {
    if (this === DeleteSet.empty) throw new TypeError('DeleteSet.empty is shared and cannot be changed.')
  }
}

/** Passes a delete set, checking all that `DeleteSet.read` would. @returns whether it holds any range */
export function skipDeleteSet (reader: ByteReader): boolean {
  let filled = false
  for (let clients = reader.varUint(); clients > 0; clients--) {
    reader.varUint()
    for (let left = reader.varUint(); left > 0; left--) {
      const clock = reader.varUint()
      const length = reader.varUint()
      if (clock + length > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
      if (length > 0) filled = true
    }
  }
  return filled
}

function readRanges (reader: ByteReader, ranges: Ranges): void {
  for (let left = reader.varUint(); left > 0; left--) {
    const clock = reader.varUint()
    const end = clock + reader.varUint()
    if (end > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
    if (end > clock) ranges.push(clock, end)
  }
}

/** Mostly they come in order, and touch; where not, `normalize` comes after it. */
function pushOrExtend (ranges: Ranges, start: number, end: number): void {
  const last = ranges.length - 1
  if (ranges[last] === start) ranges[last] = end
  else ranges.push(start, end)
}

function addEach (ours: Ranges, theirs: Ranges): void {
  for (let i = 0; i < theirs.length; i += 2) addRange(ours, theirs[i]!, theirs[i + 1]!)
}
