import { emitInCausalOrder, type EmitStruct } from './causal-order.ts'
import { DeleteSet } from './delete-set.ts'
import type { Clocks } from './merge-updates.ts'
import { ClientRanges } from './ranges.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { flags, isSplittable, kinds, noClient, type StructReader } from './struct-reader.ts'

/**
 * Which clocks of a document lie under a key (in a map, or as an attribute) and not in a list or text. A struct lies where
 * its origin lies, so this is all it takes to tell where a new one comes to lie. Most documents have few such ranges.
 */
export class KeyedClocks {
  readonly #ranges: ClientRanges

  private constructor (ranges: ClientRanges) {
    this.#ranges = ranges
  }

  /** @param merged all that is known of the document; no two runs may overlap. Linear in its bytes */
  static of (merged: ScannedUpdate): KeyedClocks {
    const keyed = new KeyedClocks(new ClientRanges())
    keyed.add(merged)
    return keyed
  }

  static unpack (packed: Float64Array): KeyedClocks {
    return new KeyedClocks(ClientRanges.unpack(packed))
  }

  /** For `unpack`, also in another thread. */
  pack (): Float64Array<ArrayBuffer> {
    return this.#ranges.pack()
  }

  /** Takes in an update of the document. */
  add (update: ScannedUpdate): void {
    emitInCausalOrder(update, before(update), (reader, client, clock) => {
      if (this.#liesUnderKey(reader, undefined)) this.#ranges.addRange(client, clock, clock + reader.length)
    })
  }

  /**
   * May an update be added, or would it put a value of several clocks under a key? Yjs writes only single values there and throws when such a
   * one is split and collected. What waits for something that is missing is not judged.
   */
  allows (update: ScannedUpdate): boolean {
    const own = new ClientRanges()
    const longValues: number[] = []
    const note: EmitStruct = (reader, client, clock) => {
      if (!this.#liesUnderKey(reader, own)) return
      own.addRange(client, clock, clock + reader.length)
      if (reader.length > 1 && isSplittable(reader.kind)) longValues.push(client, clock, clock + reader.length)
    }
    emitInCausalOrder(update, before(update), note)
    // Only a document that collects nothing joins several values, which it has deleted.
    return longValues.length === 0 || update.deleteSet.contains(DeleteSet.from(longValues))
  }

  #liesUnderKey (reader: StructReader, own: ClientRanges | undefined): boolean {
    if (reader.kind === kinds.gc || reader.length === 0) return false
    if (reader.originClient !== noClient) return this.#has(reader.originClient, reader.originClock, own)
    if (reader.rightClient !== noClient) return this.#has(reader.rightClient, reader.rightClock, own)
    return (reader.info & flags.parentSub) !== 0
  }

  #has (client: number, clock: number, own: ClientRanges | undefined): boolean {
    return this.#ranges.containsRange(client, clock, clock + 1) || own?.containsRange(client, clock, clock + 1) === true
  }
}

/** All that an update can refer to outside of itself counts as held: where it is missing, nothing is known of its place. */
function before ({ runs }: ScannedUpdate): Clocks {
  const starts = new Map<number, number>()
  for (const { client, clock } of runs) starts.set(client, Math.min(clock, starts.get(client) ?? clock))
  return { get: (client) => starts.get(client) ?? Number.POSITIVE_INFINITY }
}
