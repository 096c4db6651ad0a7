import { emitInCausalOrder } from './causal-order.ts'
import { DeleteSet } from './delete-set.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { flags, isSplittable, kinds, noClient, type StructReader } from './struct-reader.ts'

/**
 * Yjs deletes and collects nested types by recursion: a few thousand levels overflow the stack of a browser, in the middle of a transaction. Editors stay
 * below a hundred.
 */
const maxTypeDepth = 500

/**
 * Clocks of the structs that Yjs applies, but that make it throw later, whatever the later update is:
 * - several values under one key, not deleted: split by a reference to one of them, and collected with their parent ("Unexpected case");
 * - types nested more than 500 levels deep: deleted.
 * Linear in the update's bytes, times the logarithm of its structs. What waits for something missing is not judged.
 * @param merged all that is known of the document, as only the whole of it tells where a struct lies; no two runs may overlap
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

/** Does an update hold any of these clocks? */
export function holdsAny ({ runs }: ScannedUpdate, clocks: DeleteSet): boolean {
  for (const { client, clock, end } of runs) if (overlapsRange(clocks.rangesOf(client), clock, end)) return true
  return false
}

/** Does any of the ranges (flat, ascending) share a clock with the one from `start` to `end`? */
export function overlapsRange (ranges: readonly number[], start: number, end: number): boolean {
  let from = 0
  for (let to = ranges.length / 2; from < to;) {
    const middle = (from + to) >>> 1
    if (ranges[middle * 2 + 1]! <= start) from = middle + 1
    else to = middle
  }
  return from * 2 < ranges.length && ranges[from * 2]! < end
}

/** Where a struct lies: how deep the type is nested that holds it, 0 for one of the document's own, and whether under a key or in a list. */
interface Place { readonly depth: number, readonly hasKey: boolean }

function isTooDeep (reader: StructReader, { depth }: Place): boolean {
  return reader.kind === kinds.type && depth > maxTypeDepth
}

function isLongValue (reader: StructReader, { hasKey }: Place): boolean {
  return hasKey && reader.length > 1 && isSplittable(reader.kind)
}

/** One object for what most structs share. */
const onTop: Readonly<Record<'key' | 'list', Place>> = { key: { depth: 0, hasKey: true }, list: { depth: 0, hasKey: false } }

interface ClientPlaces {
  /** OtherNodes mostly lie in the same place, so only the clocks where it changes are noted, and the place from there on. */
  readonly clocks: number[]
  readonly places: Place[]
  /** The first clock not added. */
  end: number
}

/** The places of a document's structs, as far as they were added. */
class Places {
  readonly #clients = new Map<number, ClientPlaces>()

  /** @returns null for a struct that waits for something missing; all after it do then */
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
    if (reader.parentClient === noClient) return hasKey ? onTop.key : onTop.list
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
