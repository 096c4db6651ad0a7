import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { DeleteSet } from './delete-set.ts'
import { addRange, containsRange, normalize, unite, type Ranges } from './ranges.ts'
import type { ClientRun, ScannedUpdate } from './scan-update.ts'
import { encodeStateVector, readStateVector, type StateVector, writeStateVector } from './state-vector.ts'

/** First byte of the encoding, so that a later one can be told from it. */
const encodingVersion = 1

/** So many runs are added one by one; more are sorted first, for each that is beyond a gap may move half of a long list. */
const fewRuns = 16

/**
 * What a room knows of its content without holding it: the clocks held without a gap per client (the state vector), the ranges held beyond a gap, and the
 * delete set. Only ever grows.
 */
export class Known {
  readonly #stateVector: StateVector = new Map()
  /** Client → ranges that begin beyond the state vector's clock. */
  readonly #beyond = new Map<number, Ranges>()
  #deletes = new DeleteSet()
  #encodedStateVector: Uint8Array | null = null
  #encodedDeletes: Uint8Array | null = null
  /** The bytes of the delete set last found to add nothing. What is known never shrinks, so they never will. */
  #heldDeletes: Uint8Array | null = null

  /** @throws MalformedUpdate */
  static decode (bytes: Uint8Array): Known {
    const reader = new ByteReader(bytes)
    if (reader.byte() !== encodingVersion) reader.fail('its version is unknown')
    const known = new Known()
    for (const [client, clock] of readStateVector(reader)) known.#stateVector.set(client, clock)
    for (const [client, ranges] of readBeyond(reader)) known.#beyond.set(client, ranges)
    known.#deletes = DeleteSet.read(reader)
    reader.finish()
    return known
  }

  encode (): Uint8Array {
    const writer = new ByteWriter(64 + this.#stateVector.size * 9 + this.#deletes.size * 4)
    writer.byte(encodingVersion)
    writeStateVector(writer, this.#stateVector)
    writer.varUint(this.#beyond.size)
    for (const [client, ranges] of this.#beyond) {
      writer.varUint(client)
      writer.varUint(ranges.length / 2)
      for (const clock of ranges) writer.varUint(clock)
    }
    this.#deletes.write(writer)
    return writer.finish()
  }

  clone (): Known {
    const copy = new Known()
    for (const [client, clock] of this.#stateVector) copy.#stateVector.set(client, clock)
    for (const [client, ranges] of this.#beyond) copy.#beyond.set(client, ranges.slice())
    copy.#deletes = this.#deletes.clone()
    return copy
  }

  /** Client → the first clock not held. Equal to what Yjs reads from all the updates merged; a client with a gap at 0 is absent. */
  get stateVector (): ReadonlyMap<number, number> {
    return this.#stateVector
  }

  /** Not to be changed. */
  get deleteSet (): DeleteSet {
    return this.#deletes
  }

  /** Are there structs beyond a gap? */
  get hasGaps (): boolean {
    return this.#beyond.size > 0
  }

  /**
   * Would adding the update change nothing? A reconnecting client sends its whole delete set again: bytes that were found here before are only compared.
   */
  contains (update: ScannedUpdate): boolean {
    for (const run of update.runs) {
      if (!this.#holds(run)) return false
    }
    return update.deletesNothing || this.#containsDeletes(update)
  }

  add (update: ScannedUpdate): void {
    if (update.runs.length <= fewRuns) for (const run of update.runs) this.#addRun(run)
    else this.#addRuns(update.runs)
    if (!update.deletesNothing && this.#deletes.addAll(update.deleteSet)) this.#encodedDeletes = null
  }

  /** Adds deletions that came about without an update of their own, by merging others. */
  addDeletes (deletes: DeleteSet): void {
    if (this.#deletes.addAll(deletes)) this.#encodedDeletes = null
  }

  /** After `add`: does the update lean on something that is not held, earlier structs of its own clients or structs of others? */
  missing (update: ScannedUpdate): boolean {
    for (const run of update.runs) {
      if (this.#clockOf(run.client) < run.end) return true
    }
    for (const [client, clock] of update.needs) {
      if (this.#clockOf(client) < clock) return true
    }
    return false
  }

  /** Does a reader with this state vector hold every struct that is known here? It may still lack deletions: `encodeDeleteSetUpdate` has them all. */
  covers (stateVector: ReadonlyMap<number, number>): boolean {
    for (const [client, clock] of this.#stateVector) {
      if ((stateVector.get(client) ?? 0) < clock) return false
    }
    for (const [client, ranges] of this.#beyond) {
      if ((stateVector.get(client) ?? 0) < ranges[ranges.length - 1]!) return false
    }
    return true
  }

  /** For sync step 1. The same bytes until something is added. */
  encodeStateVector (): Uint8Array {
    this.#encodedStateVector ??= encodeStateVector(this.#stateVector)
    return this.#encodedStateVector
  }

  /** An update without structs and with the whole delete set. The same bytes until a deletion is added. */
  encodeDeleteSetUpdate (): Uint8Array {
    if (this.#encodedDeletes === null) {
      const writer = new ByteWriter(17 + this.#deletes.size * 4)
      writer.varUint(0)
      this.#deletes.write(writer)
      this.#encodedDeletes = writer.finish()
    }
    return this.#encodedDeletes
  }

  #clockOf (client: number): number {
    return this.#stateVector.get(client) ?? 0
  }

  #holds (run: ClientRun): boolean {
    const clock = this.#clockOf(run.client)
    if (run.end <= clock || run.end === run.clock) return true
    const beyond = this.#beyond.get(run.client)
    return beyond !== undefined && run.clock > clock && containsRange(beyond, run.clock, run.end)
  }

  #addRuns (runs: readonly ClientRun[]): void {
    const byClient = new Map<number, Ranges>()
    for (const { client, clock, end } of runs) {
      if (end <= this.#clockOf(client) || end === clock) continue
      const ranges = byClient.get(client)
      if (ranges === undefined) byClient.set(client, [clock, end])
      else ranges.push(clock, end)
    }
    for (const [client, ranges] of byClient) {
      const beyond = this.#beyond.get(client)
      const sorted = normalize(ranges)
      this.#beyond.set(client, beyond === undefined ? sorted : unite([beyond, sorted]))
      const clock = this.#clockOf(client)
      const held = this.#closeGap(client, clock)
      if (held === clock) continue
      this.#encodedStateVector = null
      this.#stateVector.set(client, held)
    }
  }

  #addRun (run: ClientRun): void {
    const clock = this.#clockOf(run.client)
    if (run.end <= clock || run.end === run.clock) return
    if (run.clock > clock) {
      const beyond = this.#beyond.get(run.client)
      if (beyond === undefined) this.#beyond.set(run.client, [run.clock, run.end])
      else addRange(beyond, run.clock, run.end)
      return
    }
    this.#encodedStateVector = null
    this.#stateVector.set(run.client, this.#closeGap(run.client, run.end))
  }

  /** Takes the ranges that `end` now reaches. @returns the clock that is then held without a gap */
  #closeGap (client: number, end: number): number {
    const beyond = this.#beyond.get(client)
    if (beyond === undefined) return end
    let held = end
    let reached = 0
    while (reached < beyond.length && beyond[reached]! <= held) {
      held = Math.max(held, beyond[reached + 1]!)
      reached += 2
    }
    if (reached === beyond.length) this.#beyond.delete(client)
    else beyond.splice(0, reached)
    return held
  }

  #containsDeletes (update: ScannedUpdate): boolean {
    const bytes = update.bytes.subarray(update.deletesFrom)
    if (!update.deletesByStructs && this.#heldDeletes !== null && Buffer.compare(bytes, this.#heldDeletes) === 0) return true
    if (!this.#deletes.contains(update.deleteSet)) return false
    // A copy: the update's bytes may be a view on a whole frame, which would stay in memory with it.
    this.#heldDeletes = bytes.slice()
    return true
  }
}

function * readBeyond (reader: ByteReader): Generator<[client: number, ranges: Ranges]> {
  for (let left = reader.varUint(); left > 0; left--) {
    const client = reader.varUint()
    const ranges: Ranges = []
    for (let pairs = reader.varUint(); pairs > 0; pairs--) {
      const start = reader.varUint()
      const end = reader.varUint()
      if (end <= start) reader.fail('a range is empty')
      ranges.push(start, end)
    }
    if (ranges.length > 0) yield [client, normalize(ranges)]
  }
}
