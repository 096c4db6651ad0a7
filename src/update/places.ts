import { emitInCausalOrder } from './causal-order.ts'
import { DeleteSet } from './delete-set.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { flags, isSplittable, kinds, noClient, type StructReader } from './struct-reader.ts'

/**
 * Levels of nested types. Yjs deletes and collects them by recursion, and a few thousand levels overflow the stack of a
 * browser in the middle of a transaction. Editors stay below a hundred.
 */
const maxTypeDepth = 500

/**
 * The clocks of structs that Yjs applies, but that make it throw later:
 * - several values under one key, not deleted: when they are split and collected with their parent ("Unexpected case");
 * - types nested more than 500 levels deep: when they are deleted.
 * Linear in the update's bytes, times the logarithm of its structs. Structs that wait for a missing one are not judged.
 * @param merged the whole document, since the place of a struct depends on others; its runs must not overlap
 */
export function unsoundClocks (merged: ScannedUpdate): DeleteSet {
  const unsound: number[] = []
  const longValues: number[] = []
  const places = new Places()
  emitInCausalOrder(merged, new Map(), (reader, client, clock) => {
    const place = places.add(reader, client, clock)
    if (place === null) return
    if (isTooDeep(reader, place)) unsound.push(client, clock, clock + reader.length)
    else if (isLongValue(reader, place)) longValues.push(client, clock, clock + reader.length)
  })
  for (let i = 0; i < longValues.length; i += 3) {
    const value = longValues.slice(i, i + 3)
    if (!merged.deleteSet.contains(DeleteSet.from(value))) unsound.push(...value)
  }
  return DeleteSet.from(unsound)
}

/** Whether an update holds any of these clocks. */
export function holdsAny ({ runs }: ScannedUpdate, clocks: DeleteSet): boolean {
  for (const { client, clock, end } of runs) {
    if (overlapsRange(clocks.rangesOf(client), clock, end)) return true
  }
  return false
}

/** Whether any of the ranges (flat, ascending) shares a clock with the one from `start` to `end`. */
export function overlapsRange (ranges: readonly number[], start: number, end: number): boolean {
  let from = 0
  for (let to = ranges.length / 2; from < to;) {
    const middle = (from + to) >>> 1
    if (ranges[middle * 2 + 1]! <= start) from = middle + 1
    else to = middle
  }
  return from * 2 < ranges.length && ranges[from * 2]! < end
}

/** Where a struct lies. */
interface Place {
  /** Levels of nested types that hold it; 0 in a root type. */
  readonly depth: number
  /** Whether it lies under a key, and not in a list. */
  readonly hasKey: boolean
}

function isTooDeep (reader: StructReader, { depth }: Place): boolean {
  return reader.kind === kinds.type && depth > maxTypeDepth
}

function isLongValue (reader: StructReader, { hasKey }: Place): boolean {
  return hasKey && reader.length > 1 && isSplittable(reader.kind)
}

/** The places in a root type, which most structs share. */
const inRoot: Readonly<Record<'key' | 'list', Place>> = {
  key: { depth: 0, hasKey: true },
  list: { depth: 0, hasKey: false },
}

interface ClientPlaces {
  /**
   * The clocks at which the place changes, and the place from each on: consecutive structs mostly lie in the same
   * place.
   */
  readonly clocks: number[]
  readonly places: Place[]
  /** The first clock not added. */
  end: number
}

/** The places of the structs that were added. */
class Places {
  readonly #clients = new Map<number, ClientPlaces>()

  /** Adds a struct. @returns null if it waits for a missing one, as all later structs of its client do then */
  add (reader: StructReader, client: number, clock: number): Place | null {
    const known = this.#clients.get(client)
    if (clock !== (known?.end ?? 0)) return null
    const place = this.#placeOf(reader)
    if (place === null) return null
    const end = clock + reader.length
    if (known === undefined) {
      this.#clients.set(client, { clocks: [clock], places: [place], end })
      return place
    }
    known.end = end
    const last = known.places.at(-1)!
    if (last.depth === place.depth && last.hasKey === place.hasKey) return last
    known.clocks.push(clock)
    known.places.push(place)
    return place
  }

  #placeOf (reader: StructReader): Place | null {
    if (reader.originClient !== noClient) return this.#at(reader.originClient, reader.originClock)
    if (reader.rightClient !== noClient) return this.#at(reader.rightClient, reader.rightClock)
    const hasKey = (reader.info & flags.parentSub) !== 0
    if (reader.parentClient === noClient) return hasKey ? inRoot.key : inRoot.list
    const parent = this.#at(reader.parentClient, reader.parentClock)
    return parent === null ? null : { depth: parent.depth + 1, hasKey }
  }

  #at (client: number, clock: number): Place | null {
    const places = this.#clients.get(client)
    if (places === undefined || clock >= places.end) return null
    let from = 0
    for (let to = places.clocks.length; to - from > 1;) {
      const middle = (from + to) >>> 1
      if (places.clocks[middle]! <= clock) from = middle
      else to = middle
    }
    return places.places[from]!
  }
}
