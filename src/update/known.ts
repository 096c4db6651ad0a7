import { type UpdateBounds, maxStateVectorEntries } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { ClientClocks, type PackedClocks } from './client-clocks.ts'
import { DeleteSet } from './delete-set.ts'
import { ClientRanges } from './ranges.ts'
import type { ClientRun, Runs, ScannedUpdate } from './scan-update.ts'
import { readStateVector, writeStateVector } from './state-vector.ts'
import { lastOf } from './steps.ts'

/** First byte of the encoding, which tells it from later ones. */
const encodingVersion = 1

/**
 * Up to this many runs are added one by one; of more, the new clients are added together, since each alone can move a
 * long list.
 */
const fewRuns = 16
/** Runs in one step of `adding`, which takes a fraction of a millisecond. */
const stepRuns = 1024
/** Runs in one step of `exceeding`, which only looks them up. */
const checkedRuns = 4096

/** The limits of a document. */
type KnownBounds = Pick<UpdateBounds, 'clients' | 'gaps' | 'deleteRanges'>

/** What is known in a form that can be handed to another thread, see `Known.pack`. */
export interface PackedKnown {
  readonly clocks: PackedClocks
  /** From `ClientRanges.pack`. */
  readonly beyond: Float64Array<ArrayBuffer>
  readonly deletes: Float64Array<ArrayBuffer>
}

/**
 * What a room knows of its content without holding it: each client's clock up to which nothing is missing (the state
 * vector), the ranges held beyond a gap, and the delete set. It only grows.
 */
export class Known {
  /** Every client of whom structs are held; at 0 if all of them are beyond a gap. */
  #clocks = new ClientClocks()
  /** Ranges that begin beyond their client's clock. */
  #beyond = new ClientRanges()
  #deletes = new DeleteSet()
  #encodedStateVector: Uint8Array | null = null
  #encodedDeletes: Uint8Array | null = null
  #deletesVersion = 0
  /** The bytes of the delete set that last added nothing. Since what is known never shrinks, it never will. */
  #heldDeletes: Uint8Array | null = null

  /**
   * Decodes what `encode` made. Linear: 100,000 clients and 250,000 ranges take about 20 ms, so large ones are decoded
   * in a worker thread, which hands them over with `pack`.
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

  /** Takes over what `pack` made, without reading it. */
  static unpack ({ clocks, beyond, deletes }: PackedKnown): Known {
    const known = new Known()
    known.#clocks = ClientClocks.unpack(clocks)
    known.#beyond = ClientRanges.unpack(beyond)
    known.#deletes = DeleteSet.unpack(deletes)
    return known
  }

  /** A copy that can be handed to another thread. */
  pack (): PackedKnown {
    return { clocks: this.#clocks.pack(), beyond: this.#beyond.pack(), deletes: this.#deletes.pack() }
  }

  /** Bytes for the store. */
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

  /**
   * Client → the first clock not held. Equal to what Yjs reads from all updates merged; a client with a gap at 0 is not
   * listed. Not to be changed.
   */
  get stateVector (): ClientClocks {
    return this.#clocks
  }

  /** All deletions. Not to be changed. */
  get deleteSet (): DeleteSet {
    return this.#deletes
  }

  /** Whether structs are held beyond a gap. */
  get hasGaps (): boolean {
    return !this.#beyond.isEmpty
  }

  /** The number of clients of whom structs are held. */
  get clients (): number {
    return this.#clocks.size
  }

  /** The number of ranges held beyond a gap. */
  get gaps (): number {
    return this.#beyond.size
  }

  /** The number of ranges in the delete set. */
  get deleteRanges (): number {
    return this.#deletes.size
  }

  /**
   * Whether the update would lift a count above its bound. A count above its bound from before must not grow, but can
   * stay. Three additions if the update is far from every bound; otherwise its runs are looked up.
   */
  wouldExceed (update: ScannedUpdate, bounds: KnownBounds): boolean {
    const { parts } = update
    const isNear = this.clients + parts > bounds.clients ||
      this.gaps + parts > bounds.gaps ||
      this.deleteRanges + parts > bounds.deleteRanges
    return isNear && lastOf(this.exceeding(update, bounds))
  }

  /** As `wouldExceed`, in steps of a millisecond and a last one for the deletions. */
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
    return exceeds(this.clients, clients, bounds.clients) ||
      exceeds(this.gaps, gaps, bounds.gaps) ||
      exceeds(this.deleteRanges, deletes, bounds.deleteRanges)
  }

  /**
   * Whether the update adds nothing. A client that reconnects sends its whole delete set again: the same bytes are only
   * compared.
   */
  contains (update: ScannedUpdate): boolean {
    for (const run of update.runs) {
      if (!this.#holds(run)) return false
    }
    return update.deletesNothing || this.#containsDeletes(update)
  }

  /** Adds an update. */
  add (update: ScannedUpdate): void {
    if (update.runs.length <= fewRuns) for (const run of update.runs) this.#addRun(run)
    else Array.from(this.#addingRuns(update.runs))
    if (!update.deletesNothing && this.#deletes.addAll(update.deleteSet)) this.#deletesChanged()
  }

  /**
   * As `add`, in steps of at most two milliseconds. Between two steps a part of the update is known, and other updates
   * can be added. Before the last step the caller must not report it as stored to a client that sends the same
   * update again (`RoomContent.isSentOut`).
   */
  * adding (update: ScannedUpdate): Generator<void, void, void> {
    yield * this.#addingRuns(update.runs)
    for (const step of this.#deletes.addingAll(update.deleteSet)) {
      this.#deletesChanged()
      yield step
    }
  }

  /** Adds all that another one knows. Linear: for worker threads. */
  addKnown (other: Known): void {
    const add = (client: number, clock: number, end: number): void => {
      this.#addRun({ client, clock, end, structs: 0, from: 0, to: 0 })
    }
    for (const [client, clock] of other.#clocks) add(client, 0, clock)
    for (const client of other.#beyond.clients()) {
      const ranges = other.#beyond.rangesOf(client)
      for (let at = 0; at < ranges.length; at += 2) add(client, ranges[at]!, ranges[at + 1]!)
    }
    this.addDeletes(other.#deletes)
  }

  /** Adds deletions that have no update of their own, because merging others made them. */
  addDeletes (deletes: DeleteSet): void {
    if (this.#deletes.addAll(deletes)) this.#deletesChanged()
  }

  /** After `add`: whether the update depends on structs that are not held, of its own clients or of others. */
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
   * Whether a reader with this encoded state vector holds every struct that is known here. It can still lack deletions,
   * all of which are in `encodeDeleteSetUpdate`.
   * @throws MalformedUpdate
   */
  covers (stateVector: Uint8Array): boolean {
    return this.lackedBy(stateVector, 0) !== undefined
  }

  /**
   * The clients of whom a reader with this encoded state vector lacks structs that are known here, and the clock that
   * it has of each; undefined for more than `most` clients.
   * @throws MalformedUpdate also for more than `maxStateVectorEntries`
   */
  lackedBy (stateVector: Uint8Array, most: number): Map<number, number> | undefined {
    const lacking = new Map<number, number>()
    const own = this.hasGaps ? null : this.#encodedStateVector
    if (own !== null && Buffer.compare(stateVector, own) === 0) return lacking
    const held = this.#readHeld(stateVector)
    for (let i = 0; i < this.#clocks.size; i++) {
      const client = this.#clocks.clientAt(i)
      const clock = this.#clocks.clockAt(i)
      const end = this.hasGaps ? Math.max(clock, this.#beyond.endOf(client)) : clock
      if (held[i]! >= end) continue
      if (lacking.size === most) return undefined
      lacking.set(client, held[i]!)
    }
    return lacking
  }

  /** The state vector for sync step 1. The same array until something is added. */
  encodeStateVector (): Uint8Array {
    if (this.#encodedStateVector === null) {
      const writer = new ByteWriter(8 + this.#clocks.size * 9)
      writeStateVector(writer, this.#clocks)
      this.#encodedStateVector = writer.finish()
    }
    return this.#encodedStateVector
  }

  /** An update with the whole delete set and no structs. The same array until a deletion is added. */
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

  /** The whole delete set in updates of at most `maxBytes`, one by one; none if nothing is deleted. */
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
    const held = update.deletesByStructs ? null : this.#heldDeletes
    if (held !== null && Buffer.compare(bytes, held) === 0) return true
    if (!this.#deletes.contains(update.deleteSet)) return false
    // A copy: a view of the update would keep its whole frame in memory.
    this.#heldDeletes = bytes.slice()
    return true
  }
}

function exceeds (now: number, more: number, bound: number): boolean {
  return more > 0 && now + more > bound
}

/** The clients of the runs that are not empty, in descending order, each once. Yjs writes runs in this order. */
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
