import { emitInCausalOrder, type EmitStruct } from './causal-order.ts'
import { DeleteSet } from './delete-set.ts'
import type { Clocks } from './merge-updates.ts'
import { ClientRanges } from './ranges.ts'
import type { ScannedUpdate } from './scan-update.ts'
import { flags, isSplittable, kinds, noClient, type StructReader } from './struct-reader.ts'

/**
 * The clocks of a document that lie under a key (in a map, or as an attribute) and not in a list or text. A struct lies
 * where its origin lies, so these clocks are enough to place new structs. Most documents have few such ranges.
 */
export class KeyedClocks {
  readonly #ranges: ClientRanges

  private constructor (ranges: ClientRanges) {
    this.#ranges = ranges
  }

  /**
   * Reads the clocks from a document, in time linear in its bytes.
   * @param merged all of it; its runs must not overlap
   */
  static of (merged: ScannedUpdate): KeyedClocks {
    const keyed = new KeyedClocks(new ClientRanges())
    keyed.add(merged)
    return keyed
  }

  /** Takes over what `pack` made. */
  static unpack (packed: Float64Array): KeyedClocks {
    return new KeyedClocks(ClientRanges.unpack(packed))
  }

  /** A copy that can be handed to another thread. */
  pack (): Float64Array<ArrayBuffer> {
    return this.#ranges.pack()
  }

  /** Adds an update of the document. */
  add (update: ScannedUpdate): void {
    emitInCausalOrder(update, before(update), (reader, client, clock) => {
      if (this.#liesUnderKey(reader, undefined)) this.#ranges.addRange(client, clock, clock + reader.length)
    })
  }

  /**
   * Whether an update puts no value of several clocks under a key. Yjs writes only single values there, and throws when
   * a longer one is split and collected. Structs that wait for a missing one are not judged.
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
    // A document that collects nothing joins values, but only deleted ones.
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

/**
 * Everything outside the update to which it can refer counts as held: nothing is known of the place of a missing
 * struct.
 */
function before ({ runs }: ScannedUpdate): Clocks {
  const starts = new Map<number, number>()
  for (const { client, clock } of runs) starts.set(client, Math.min(clock, starts.get(client) ?? clock))
  return { get: (client) => starts.get(client) ?? Number.POSITIVE_INFINITY }
}
