import { endsBefore, firstReaching, isBehind, mergeInOrder, reaches, stride, type Triples } from './triples.ts'

/** Ranges of one chunk: adding to a full one moves a few KB, and a set of 250,000 ranges has a few hundred chunks. */
const chunkRanges = 512
/**
 * Up to this many ranges are added one by one; more are merged, which looks once at each range of the chunks concerned.
 */
const fewRanges = 16

/**
 * Clocks of many clients as ranges: clients in descending order, as Yjs writes them, the ranges of a client ascending
 * and with gaps between them. They are kept in chunks, so that adding a range costs the same in a set of any size, and
 * without an object for each client or range.
 */
export class ClientRanges {
  /** None is empty. */
  #chunks: Triples[] = []
  #size = 0
  /** The chunk that `#seek` found, and the offset in it; behind the last chunk if it found nothing. */
  #at = 0
  #offset = 0

  /** Makes a set. @param triples client, start, end, … in any order, overlapping or not, none empty */
  static from<Set extends ClientRanges> (this: new () => Set, triples: readonly number[]): Set {
    const set = new this()
    for (let i = 0; i < triples.length; i += stride) set.addRange(triples[i]!, triples[i + 1]!, triples[i + 2]!)
    return set
  }

  /** Takes over the array that `pack` made, without reading it. */
  static unpack<Set extends ClientRanges> (this: new () => Set, packed: Float64Array): Set {
    const set = new this()
    set.#chunks = split(packed)
    set.#size = packed.length / stride
    return set
  }

  /** The number of ranges. */
  get size (): number {
    return this.#size
  }

  /** Whether it has no ranges. */
  get isEmpty (): boolean {
    return this.#size === 0
  }

  /** The clients that have ranges, highest first. */
  clients (): number[] {
    const clients: number[] = []
    for (const chunk of this.#chunks) {
      for (let i = 0; i < chunk.length; i += stride) {
        if (chunk[i] !== clients.at(-1)) clients.push(chunk[i]!)
      }
    }
    return clients
  }

  /** The ranges of one client, flat: start, end (exclusive), start, end, … ascending. */
  rangesOf (client: number): number[] {
    const ranges: number[] = []
    this.#seek(client, 0)
    for (let at = this.#at, offset = this.#offset; at < this.#chunks.length; at++, offset = 0) {
      const chunk = this.#chunks[at]!
      for (; offset < chunk.length; offset += stride) {
        if (chunk[offset] !== client) return ranges
        ranges.push(chunk[offset + 1]!, chunk[offset + 2]!)
      }
    }
    return ranges
  }

  /** The end of the client's last range; 0 if it has none. */
  endOf (client: number): number {
    this.#seek(client, Number.POSITIVE_INFINITY)
    // The range before the place found is the client's last.
    const at = this.#offset > 0 ? this.#at : this.#at - 1
    const chunk = this.#chunks[at]
    if (chunk === undefined) return 0
    const last = at === this.#at ? this.#offset - stride : chunk.length - stride
    return chunk[last] === client ? chunk[last + 2]! : 0
  }

  /** Adds a range. Cheap behind the last range, where most are added. @param start below `end` */
  addRange (client: number, start: number, end: number): void {
    const tail = this.#chunks[this.#chunks.length - 1]
    if (tail === undefined || endsBefore(tail, client, start)) {
      this.#append(client, start, end)
      return
    }
    this.#seek(client, start)
    const at = this.#at
    const offset = this.#offset
    const found = this.#chunks[at]!
    if (found[offset] !== client || found[offset + 1]! > end) {
      this.#insert(at, offset, client, start, end)
      return
    }
    const chunk = this.#own(at)
    if (start < chunk[offset + 1]!) chunk[offset + 1] = start
    if (end > chunk[offset + 2]!) chunk[offset + 2] = this.#absorb(at, offset + stride, client, end)
  }

  /** Adds all ranges of another set. @returns whether any of them was missing */
  addAll (other: ClientRanges): boolean {
    if (this.contains(other)) return false
    if (other.#size <= fewRanges) this.#addEach(other)
    else Array.from(this.addingAll(other))
    return true
  }

  /** As `addAll`, in steps of a fraction of a millisecond. Between two steps the set can be used and added to. */
  * addingAll (other: ClientRanges): Generator<void, void, void> {
    for (const theirs of other.#chunks) {
      for (let from = 0; from < theirs.length;) {
        from = this.#addSome(theirs, from)
        yield
      }
    }
  }

  /** Whether it holds all clocks of a range. @param start below `end` */
  containsRange (client: number, start: number, end: number): boolean {
    this.#seek(client, end)
    const chunk = this.#chunks[this.#at]
    return chunk !== undefined && chunk[this.#offset] === client && chunk[this.#offset + 1]! <= start
  }

  /** Whether it holds all clocks of another set. */
  contains (other: ClientRanges): boolean {
    return other.#size === 0 || this.#countMissing(other, 0) === 0
  }

  /**
   * The number of the other set's ranges that are not contained: the most by which adding it can make this set grow.
   */
  countMissing (other: ClientRanges): number {
    return this.#countMissing(other, Number.POSITIVE_INFINITY)
  }

  /**
   * Removes the client's ranges that begin at or before `clock`, or before the end of such a range.
   * @returns the highest end, at least `clock`
   */
  takeReached (client: number, clock: number): number {
    this.#seek(client, 0)
    return this.#absorb(this.#at, this.#offset, client, clock)
  }

  /** Whether both sets hold the same clocks. */
  equals (other: ClientRanges): boolean {
    return this.#size === other.#size && this.contains(other) && other.contains(this)
  }

  /** A copy of all ranges that can be handed to another thread: client, start, end, … in order. */
  pack (): Float64Array<ArrayBuffer> {
    const packed = new Float64Array(this.#size * stride)
    let at = 0
    for (const chunk of this.#chunks) {
      packed.set(chunk, at)
      at += chunk.length
    }
    return packed
  }

  /** All ranges in parts, client, start, end, … in order. Not to be changed. */
  protected get parts (): readonly ArrayLike<number>[] {
    return this.#chunks
  }

  /**
   * Finds the first range that ends at or after `clock` in this client, or that belongs to a client after it. Tries the
   * range of the last call and the next one first.
   */
  #seek (client: number, clock: number): void {
    const chunk = this.#chunks[this.#at]
    if (chunk !== undefined && this.#offset < chunk.length) {
      const here = this.#offset
      const isReached = reaches(chunk, here, client, clock)
      if (isReached && here > 0 && !reaches(chunk, here - stride, client, clock)) return
      if (!isReached && here + stride < chunk.length && reaches(chunk, here + stride, client, clock)) {
        this.#offset = here + stride
        return
      }
    }
    this.#search(client, clock)
  }

  #search (client: number, clock: number): void {
    const chunks = this.#chunks
    let low = 0
    let high = chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const chunk = chunks[middle]!
      if (reaches(chunk, chunk.length - stride, client, clock)) high = middle
      else low = middle + 1
    }
    this.#at = low
    this.#offset = low < chunks.length ? firstReaching(chunks[low]!, client, clock) : 0
  }

  #append (client: number, start: number, end: number): void {
    this.#size++
    const last = this.#chunks.length - 1
    if (last < 0 || this.#chunks[last]!.length >= chunkRanges * stride) this.#chunks.push([client, start, end])
    else this.#own(last).push(client, start, end)
  }

  #insert (at: number, offset: number, client: number, start: number, end: number): void {
    this.#size++
    const chunk = this.#own(at)
    chunk.splice(offset, 0, client, start, end)
    if (chunk.length > 2 * chunkRanges * stride) this.#chunks.splice(at, 1, ...split(chunk))
  }

  /**
   * Removes the client's ranges from a place on that begin at or before `end`, which they extend.
   * @returns the extended end
   */
  #absorb (at: number, offset: number, client: number, end: number): number {
    while (at < this.#chunks.length) {
      const chunk = this.#chunks[at]!
      let to = offset
      for (; to < chunk.length && chunk[to] === client && chunk[to + 1]! <= end; to += stride) {
        end = Math.max(end, chunk[to + 2]!)
      }
      const isExhausted = to === chunk.length
      this.#size -= (to - offset) / stride
      if (isExhausted && offset === 0) {
        this.#chunks.splice(at, 1)
        continue
      }
      if (to > offset) this.#own(at).splice(offset, to - offset)
      if (!isExhausted) break
      at++
      offset = 0
    }
    return end
  }

  #addEach (other: ClientRanges): void {
    for (const chunk of other.#chunks) {
      for (let i = 0; i < chunk.length; i += stride) this.addRange(chunk[i]!, chunk[i + 1]!, chunk[i + 2]!)
    }
  }

  /** Adds as many ranges of `theirs`, from an offset on, as belong into one chunk. @returns the offset of the next */
  #addSome (theirs: Triples, from: number): number {
    this.#seek(theirs[from]!, theirs[from + 1]!)
    // Ranges behind all others are merged with the last chunk.
    const at = Math.min(this.#at, this.#chunks.length - 1)
    const ours = this.#chunks[at]
    let to = from + stride
    if (ours === undefined || at === this.#chunks.length - 1) {
      to = theirs.length
    } else {
      const last = ours.length - stride
      while (to < theirs.length && !isBehind(theirs, to, ours[last]!, ours[last + 1]!)) to += stride
    }
    if (to - from <= fewRanges * stride && ours !== undefined) {
      for (let i = from; i < to; i += stride) this.addRange(theirs[i]!, theirs[i + 1]!, theirs[i + 2]!)
      return to
    }
    this.#merge(at, theirs, from, to)
    return to
  }

  /** Replaces a chunk, if there is one, by its union with ranges of another set. */
  #merge (at: number, theirs: Triples, from: number, to: number): void {
    const ours = this.#chunks[at] ?? []
    const merged = mergeInOrder(ours, theirs, from, to)
    this.#size += (merged.length - ours.length) / stride
    const pieces = split(merged)
    this.#chunks.splice(Math.max(at, 0), ours.length === 0 ? 0 : 1, ...pieces)
    // Their last range can reach into our next chunk.
    const end = merged.length - 1
    const last = pieces.at(-1)!
    last[last.length - 1] = this.#absorb(Math.max(at, 0) + pieces.length, 0, merged[end - 2]!, merged[end]!)
  }

  /** Walks both sets side by side; a range that is not the next one is searched for. */
  #countMissing (other: ClientRanges, enough: number): number {
    let missing = 0
    let at = 0
    let offset = 0
    let ours = this.#chunks[0]
    for (const theirs of other.#chunks) {
      for (let i = 0; i < theirs.length; i += stride) {
        const client = theirs[i]!
        const end = theirs[i + 2]!
        if (ours !== undefined && !reaches(ours, offset, client, end)) {
          offset += stride
          if (offset === ours.length) {
            ours = this.#chunks[++at]
            offset = 0
          }
          if (ours !== undefined && !reaches(ours, offset, client, end)) {
            this.#search(client, end)
            at = this.#at
            offset = this.#offset
            ours = this.#chunks[at]
          }
        }
        const isHeld = ours !== undefined && ours[offset] === client && ours[offset + 1]! <= theirs[i + 1]!
        if (!isHeld && ++missing > enough) return missing
      }
    }
    return missing
  }

  #own (at: number): number[] {
    const chunk = this.#chunks[at]!
    if (Array.isArray(chunk)) return chunk
    const own: number[] = []
    for (let i = 0; i < chunk.length; i++) own.push(chunk[i]!)
    this.#chunks[at] = own
    return own
  }
}

function split (triples: Triples): Triples[] {
  const most = chunkRanges * stride
  if (triples.length <= most) return triples.length === 0 ? [] : [triples]
  const chunks: Triples[] = []
  for (let from = 0; from < triples.length; from += most) {
    chunks.push(Array.isArray(triples) ? triples.slice(from, from + most) : triples.subarray(from, from + most))
  }
  return chunks
}
