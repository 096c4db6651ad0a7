import { type UpdateBounds, maxStateVectorEntries } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { ClientClocks, type PackedClocks } from './client-clocks.ts'
import { DeleteSet } from './delete-set.ts'
import { ClientRanges } from './ranges.ts'
import type { ClientRun, Runs, ScannedUpdate } from './scan-update.ts'
import { readStateVector, writeStateVector } from './state-vector.ts'
import { lastOf } from './steps.ts'

/** First byte of the encoding, so that a later one can be told from it. */
const encodingVersion = 1

/** So many runs are added one by one; of more, the new clients are added together, for each alone may move a long list. */
const fewRuns = 16
/** Runs of one step of `adding`: a fraction of a millisecond. */
const stepRuns = 1024
/** Runs of one step of `exceeding`, which only looks them up. */
const checkedRuns = 4096

/** What a document may hold of each. */
export type KnownBounds = Pick<UpdateBounds, 'clients' | 'gaps' | 'deleteRanges'>

/** What is known, in memory that can be handed to another thread: see `Known.pack`. */
export interface PackedKnown {
  readonly clocks: PackedClocks
  /** As `ClientRanges.pack` */
  readonly beyond: Float64Array<ArrayBuffer>
  readonly deletes: Float64Array<ArrayBuffer>
}

/**
 * What a room knows of its content without holding it: the clocks held without a gap per client (the state vector), the ranges held beyond a gap, and the
 * delete set. Only ever grows.
 */
export class Known {
  /** Every client that something is held of; at 0 where all of that is beyond a gap. */
  #clocks = new ClientClocks()
  /** Ranges that begin beyond their client's clock. */
  #beyond = new ClientRanges()
  #deletes = new DeleteSet()
  #encodedStateVector: Uint8Array | null = null
  #encodedDeletes: Uint8Array | null = null
  #deletesVersion = 0
  /** The bytes of the delete set last found to add nothing. What is known never shrinks, so they never will. */
  #heldDeletes: Uint8Array | null = null

  /**
   * Linear: 100,000 clients and 250,000 ranges take some 20 ms. Where there may be many, a worker does it and hands over what it made with `pack`.
   * @throws MalformedUpdate
   */
  static decode (bytes: Uint8Array): Known {
    const reader = new ByteReader(bytes)
    if (reader.byte() !== encodingVersion) reader.fail('its version is unknown')
    const known = new Known()
    known.#clocks = readStateVector(reader)
    known.#beyond = readBeyond(reader)
    known.#clocks.addMissing(known.#beyond.clients())
    known.#deletes = DeleteSet.read(reader)
    reader.finish()
    return known
  }

  /** Takes over what `pack` has made, in two copies of its clocks and without reading its ranges. */
  static unpack ({ clocks, beyond, deletes }: PackedKnown): Known {
    const known = new Known()
    known.#clocks = ClientClocks.unpack(clocks)
    known.#beyond = ClientRanges.unpack(beyond)
    known.#deletes = DeleteSet.unpack(deletes)
    return known
  }

  pack (): PackedKnown {
    return { clocks: this.#clocks.pack(), beyond: this.#beyond.pack(), deletes: this.#deletes.pack() }
  }

  encode (): Uint8Array {
    const writer = new ByteWriter(64 + this.#clocks.size * 9 + this.#deletes.size * 4)
    writer.byte(encodingVersion)
    writeStateVector(writer, this.#clocks)
    const clients = this.#beyond.clients()
    writer.varUint(clients.length)
    for (const client of clients) {
      const ranges = this.#beyond.rangesOf(client)
      writer.varUint(client)
      writer.varUint(ranges.length / 2)
      for (const clock of ranges) writer.varUint(clock)
    }
    this.#deletes.write(writer)
    return writer.finish()
  }

  /** Client → the first clock not held. Equal to what Yjs reads from all the updates merged; a client with a gap at 0 is not listed. Not to be changed. */
  get stateVector (): ClientClocks {
    return this.#clocks
  }

  /** Not to be changed. */
  get deleteSet (): DeleteSet {
    return this.#deletes
  }

  /** Are there structs beyond a gap? */
  get hasGaps (): boolean {
    return !this.#beyond.isEmpty
  }

  /** Number of clients of whom structs are held. */
  get clients (): number {
    return this.#clocks.size
  }

  /** Number of ranges held beyond a gap. */
  get gaps (): number {
    return this.#beyond.size
  }

  /** Number of ranges in the delete set. */
  get deleteRanges (): number {
    return this.#deletes.size
  }

  /**
   * Could adding the update lift what is known above a bound? What was above it before may grow no further, but stays as it is.
   * Two additions for an update that is small beside what is left; else it is looked at.
   */
  wouldExceed (update: ScannedUpdate, bounds: KnownBounds): boolean {
    const { parts } = update
    const isNear = this.clients + parts > bounds.clients || this.gaps + parts > bounds.gaps || this.deleteRanges + parts > bounds.deleteRanges
    return isNear && lastOf(this.exceeding(update, bounds))
  }

  /** As `wouldExceed`, in steps of a millisecond, and one that looks at the deletions. */
  * exceeding (update: ScannedUpdate, bounds: KnownBounds): Generator<void, boolean, void> {
    let clients = 0
    let gaps = 0
    let lastClient = -1
    let seen = 0
    for (const run of update.runs) {
      if (++seen % checkedRuns === 0) yield
      if (this.#holds(run)) continue
      if (run.clock > this.#clocks.get(run.client)) gaps++
      if (run.client !== lastClient && this.#clocks.indexOf(run.client) < 0) clients++
      lastClient = run.client
    }
    yield
    const deletes = this.#deletes.countMissing(update.deleteSet)
    return exceeds(this.clients, clients, bounds.clients) || exceeds(this.gaps, gaps, bounds.gaps) || exceeds(this.deleteRanges, deletes, bounds.deleteRanges)
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
    else Array.from(this.#addingRuns(update.runs))
    if (!update.deletesNothing && this.#deletes.addAll(update.deleteSet)) this.#deletesChanged()
  }

  /**
   * As `add`, in steps of a millisecond or two for the largest update, a fraction of one mostly. Between two steps part of the update is known and other
   * updates may be added; so it must be on its way to the store before the first, or who sends the same would hear that it is stored.
   */
  * adding (update: ScannedUpdate): Generator<void, void, void> {
    yield * this.#addingRuns(update.runs)
    for (const step of this.#deletes.addingAll(update.deleteSet)) {
      this.#deletesChanged()
      yield step
    }
  }

  /** Adds deletions that came about without an update of their own, by merging others. */
  addDeletes (deletes: DeleteSet): void {
    if (this.#deletes.addAll(deletes)) this.#deletesChanged()
  }

  /** After `add`: does the update lean on something that is not held, earlier structs of its own clients or structs of others? */
  missing (update: ScannedUpdate): boolean {
    for (const run of update.runs) {
      if (this.#clocks.get(run.client) < run.end) return true
    }
    for (const [client, clock] of update.needs) {
      if (this.#clocks.get(client) < clock) return true
    }
    return false
  }

  /**
   * Does a reader with this encoded state vector hold every struct that is known here? It may still lack deletions: `encodeDeleteSetUpdate` has them all.
   * @throws MalformedUpdate
   */
  covers (stateVector: Uint8Array): boolean {
    return this.lackedBy(stateVector, 0) !== undefined
  }

  /**
   * The clients of whom a reader with this encoded state vector lacks structs that are known here, and the clock that it has of each; undefined where
   * those are more than `most`.
   * @throws MalformedUpdate also for more than `maxStateVectorEntries`
   */
  lackedBy (stateVector: Uint8Array, most: number): Map<number, number> | undefined {
    const lacking = new Map<number, number>()
    if (!this.hasGaps && this.#encodedStateVector !== null && Buffer.compare(stateVector, this.#encodedStateVector) === 0) return lacking
    const held = this.#readHeld(stateVector)
    for (let i = 0; i < this.#clocks.size; i++) {
      const client = this.#clocks.clientAt(i)
      const end = this.hasGaps ? Math.max(this.#clocks.clockAt(i), this.#beyond.endOf(client)) : this.#clocks.clockAt(i)
      if (held[i]! >= end) continue
      if (lacking.size === most) return undefined
      lacking.set(client, held[i]!)
    }
    return lacking
  }

  /** For sync step 1. The same bytes until something is added. */
  encodeStateVector (): Uint8Array {
    if (this.#encodedStateVector === null) {
      const writer = new ByteWriter(8 + this.#clocks.size * 9)
      writeStateVector(writer, this.#clocks)
      this.#encodedStateVector = writer.finish()
    }
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

  /** Changes whenever the delete set changes. */
  get deletesVersion (): number { return this.#deletesVersion }

  /** The same in updates of at most `maxBytes`, one by one; none if nothing is deleted. */
  * encodingDeleteSetUpdates (maxBytes: number): Generator<Uint8Array, void, void> {
    for (const deletes of this.#deletes.encodingPieces(maxBytes - 1, maxBytes - 1)) {
      const writer = new ByteWriter(1 + deletes.length)
      writer.varUint(0)
      writer.copy(deletes)
      yield writer.finish()
    }
  }

  #deletesChanged (): void {
    this.#encodedDeletes = null
    this.#deletesVersion++
  }

  /** The clocks that a reader holds, in the order of the clients here. */
  #readHeld (stateVector: Uint8Array): Float64Array {
    const reader = new ByteReader(stateVector)
    const held = new Float64Array(this.#clocks.size)
    const entries = reader.varUint()
    if (entries > maxStateVectorEntries) reader.fail('it has too many entries')
    for (let left = entries; left > 0; left--) {
      const at = this.#clocks.indexOf(reader.varUint())
      const clock = reader.varUint()
      if (at >= 0) held[at] = clock
    }
    reader.finish()
    return held
  }

  #holds (run: ClientRun): boolean {
    const clock = this.#clocks.get(run.client)
    if (run.end <= clock || run.end === run.clock) return true
    return this.hasGaps && run.clock > clock && this.#beyond.containsRange(run.client, run.clock, run.end)
  }

  * #addingRuns (runs: Runs): Generator<void, void, void> {
    let group: ClientRun[] = []
    let left = runs.length
    for (const run of runs) {
      group.push(run)
      if (--left > 0 && group.length < stepRuns) continue
      this.#clocks.addMissing(clientsOf(group))
      for (const each of group) this.#addRun(each)
      group = []
      yield
    }
  }

  #addRun (run: ClientRun): void {
    const { client, clock, end } = run
    const at = this.#clocks.indexOf(client)
    const held = at < 0 ? 0 : this.#clocks.clockAt(at)
    if (end <= held || end === clock) return
    if (clock > held) {
      if (at < 0) this.#clocks.set(client, 0)
      this.#beyond.addRange(client, clock, end)
      return
    }
    this.#encodedStateVector = null
    this.#clocks.set(client, this.hasGaps ? this.#beyond.takeReached(client, end) : end)
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

function exceeds (now: number, more: number, bound: number): boolean {
  return more > 0 && now + more > bound
}

/** Those of the runs that are not empty, in descending order, each once. Runs come so unless a writer other than Yjs made them. */
function clientsOf (runs: readonly ClientRun[]): number[] {
  const clients: number[] = []
  let isInOrder = true
  for (const { client, clock, end } of runs) {
    const last = clients.at(-1)
    if (end === clock || client === last) continue
    if (last !== undefined && client > last) isInOrder = false
    clients.push(client)
  }
  return isInOrder ? clients : [...new Set(clients)].sort((a, b) => b - a)
}

function readBeyond (reader: ByteReader): ClientRanges {
  const triples: number[] = []
  for (let left = reader.varUint(); left > 0; left--) {
    const client = reader.varUint()
    for (let ranges = reader.varUint(); ranges > 0; ranges--) {
      const start = reader.varUint()
      const end = reader.varUint()
      if (end <= start) reader.fail('a range is empty')
      triples.push(client, start, end)
    }
  }
  return ClientRanges.from(triples)
}
