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
    if (isTooDeep(reader, place)) unsound.push(client, clock, reader.length)
    else if (isLongValue(reader, place)) longValues.push(client, clock, reader.length)
  })
  for (let i = 0; i < longValues.length; i += 3) {
    const value = longValues.slice(i, i + 3)
    if (!merged.deleteSet.contains(DeleteSet.from(value))) unsound.push(...value)
  }
  return DeleteSet.from(unsound)
}

/** Where a struct lies: how deep the type is nested that holds it, 0 for one of the document's own, and whether under a key or in a list. */
interface Place { readonly depth: number, readonly hasKey: boolean }

const somewhere: Place = { depth: 0, hasKey: false }

function isTooDeep (reader: StructReader, { depth }: Place): boolean {
  return reader.kind === kinds.type && depth > maxTypeDepth
}

function isLongValue (reader: StructReader, { hasKey }: Place): boolean {
  return hasKey && reader.length > 1 && isSplittable(reader.kind)
}

/** The places of a document's structs, as far as they were added. Each must come after those it refers to. */
class Places {
  /** Neighbours mostly lie in the same place, so only where it changes is noted. */
  readonly #clients = new Map<number, { readonly clocks: number[], readonly places: Place[] }>()

  add (reader: StructReader, client: number, clock: number): Place {
    const place = this.#placeOf(reader)
    const known = this.#clients.get(client)
    if (known === undefined) {
      this.#clients.set(client, { clocks: [clock], places: [place] })
      return place
    }
    const last = known.places.at(-1)!
    if (last.depth === place.depth && last.hasKey === place.hasKey) return last
    known.clocks.push(clock)
    known.places.push(place)
    return place
  }

  #placeOf (reader: StructReader): Place {
    if (reader.originClient !== noClient) return this.#at(reader.originClient, reader.originClock)
    if (reader.rightClient !== noClient) return this.#at(reader.rightClient, reader.rightClock)
    const hasKey = (reader.info & flags.parentSub) !== 0
    if (reader.parentClient === noClient) return { depth: 0, hasKey }
    return { depth: this.#at(reader.parentClient, reader.parentClock).depth + 1, hasKey }
  }

  #at (client: number, clock: number): Place {
    const known = this.#clients.get(client)
    if (known === undefined) return somewhere
    let from = 0
    for (let to = known.clocks.length; to - from > 1;) {
      const middle = (from + to) >>> 1
      if (known.clocks[middle]! <= clock) from = middle
      else to = middle
    }
    return known.places[from]!
  }
}
