import { type UpdateBounds, clientBounds, unbounded } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { DeleteSet, skipDeleteSet } from './delete-set.ts'
import { MalformedUpdate } from './malformed-update.ts'
import { flawOf } from './struct-flaws.ts'
import { flags, isSplittable, kinds, noClient, StructReader } from './struct-reader.ts'

/**
 * Consecutive structs of one client inside an update. A Skip ends a run: the next run of the client starts behind it.
 */
export interface ClientRun {
  readonly client: number
  readonly clock: number
  /** The clock after the last struct. Equal to `clock` only in an unchecked update whose structs are all empty. */
  readonly end: number
  /** Number of structs, including empty ones. */
  readonly structs: number
  /** Offsets of the structs in bytes, without the numbers before them. */
  readonly from: number
  readonly to: number
}

/** The runs of an update: an array, or a view of numbers from another thread. */
export interface Runs extends Iterable<ClientRun> {
  readonly length: number
}

/** The contents of an update (V1), read without building a document. Keeps the bytes, which must not be changed. */
export interface ScannedUpdate {
  readonly bytes: Uint8Array
  /** In the order of the bytes. */
  readonly runs: Runs
  /**
   * The update's own delete set and the ranges of structs without content. Not to be changed. Read from the bytes at
   * the first access.
   */
  readonly deleteSet: DeleteSet
  /** Whether `deleteSet` is empty, without reading it. */
  readonly deletesNothing: boolean
  /** Offset of the update's own delete set, which ends with the bytes. */
  readonly deletesFrom: number
  /** Whether some structs have no content any more, so that `deleteSet` can be more than the update's own. */
  readonly deletesByStructs: boolean
  /**
   * What only the document can decide, if Yjs might be unable to apply the update. `values`: it places values of
   * several clocks beside other structs (see `KeyedClocks.allows`). `types`: it has very many nested types (see
   * `inspectUpdate`). Always false for a keystroke.
   */
  readonly needsInspection: false | 'values' | 'types'
  /**
   * Client → the first clock that is not needed: one more than the highest clock to which a struct refers among the
   * structs of another client, or among those of its own client before the run.
   */
  readonly needs: Iterable<readonly [client: number, clock: number]>
  /** The number of shared types (elements, maps, texts) that it adds. */
  readonly types: number
  /** What it costs beyond its bytes: the sum of its clients, runs, ranges of deletions and needs. */
  readonly parts: number
}

/**
 * An update with more types is an import, which a worker thread can check; typing makes a handful. Below
 * `maxTypeDepth`.
 */
export const manyTypes = 250

/**
 * Reads an update once, in time linear in its bytes, and allocates no memory for sizes that it merely announces.
 * @throws MalformedUpdate wherever Yjs's decoder would throw, for what no writer writes and Yjs cannot apply (see
 *   docs/decisions/update-bytes.md), and for bytes that follow the update, numbers above 2^53 - 1 and values nested
 *   more than 500 levels deep
 */
export function scanUpdate (update: Uint8Array): ScannedUpdate {
  return scan(update, unbounded, true)
}

/**
 * As `scanUpdate`, for an update from a client: it is malformed if it exceeds one of `clientBounds`, or if it leaves
 * more than one value under a key. (In the store another update can have deleted the other values.)
 * @throws MalformedUpdate
 */
export function scanClientUpdate (update: Uint8Array): ScannedUpdate {
  const scanned = scan(update, clientBounds, true)
  scanned.checkKeyedValues()
  return scanned
}

/**
 * As `scanUpdate`, but accepts everything that decodes, whether or not Yjs can apply it: for updates that were stored
 * before such updates were rejected. Merge it (`mergeRuns`) before you pass it on, since Yjs applies only the last
 * section of a client.
 * @throws MalformedUpdate
 */
export function scanUnchecked (update: Uint8Array): ScannedUpdate {
  return scan(update, unbounded, false)
}

function scan (update: Uint8Array, bounds: UpdateBounds, strict: boolean): Scan {
  const scanned = new Scan(update, bounds, strict)
  scanned.read()
  return scanned
}

const noNeeds: ReadonlyMap<number, number> = new Map()

class Scan implements ScannedUpdate {
  readonly bytes: Uint8Array
  readonly runs: ClientRun[] = []
  readonly #bounds: UpdateBounds
  readonly #strict: boolean
  #needs: Map<number, number> | null = null
  #deletesFrom = 0
  #deletesNothing = true
  #parts = 0
  #types = 0
  /** One for each section so far, and the gaps of the bounds. */
  #maxRuns: number
  /** Flat: client, start, end. Adjacent ones are joined. */
  #emptied: number[] | null = null
  #deleteSet: DeleteSet | null = null
  #lastClient = Number.POSITIVE_INFINITY
  #clients: Set<number> | null = null
  #hasKeys = false
  #hasLongValues = false
  /** Values of several clocks under a key. Flat: client, start, end. */
  #keyedValues: number[] | null = null

  constructor (bytes: Uint8Array, bounds: UpdateBounds, strict: boolean) {
    this.bytes = bytes
    this.#bounds = bounds
    this.#strict = strict
    this.#maxRuns = bounds.gaps
  }

  get needs (): ReadonlyMap<number, number> { return this.#needs ?? noNeeds }
  get deletesFrom (): number { return this.#deletesFrom }
  get deletesNothing (): boolean { return this.#deletesNothing }
  get deletesByStructs (): boolean { return this.#emptied !== null }
  get parts (): number { return this.#parts }
  get types (): number { return this.#types }

  get needsInspection (): false | 'values' | 'types' {
    if (this.#types > manyTypes) return 'types'
    return this.#hasLongValues && (this.#hasKeys || this.#needs !== null) ? 'values' : false
  }

  get deleteSet (): DeleteSet {
    if (this.#deletesNothing) return DeleteSet.empty
    this.#deleteSet ??= this.#readDeleteSet()
    return this.#deleteSet
  }

  /** Reads the update. Called once. */
  read (): void {
    const reader = new StructReader(this.bytes, 0, this.#strict)
    const sections = reader.varUint()
    if (sections > this.#bounds.clients) reader.fail('it has too many clients')
    for (let left = sections; left > 0; left--) this.#readSection(reader)
    this.#deletesFrom = reader.pos
    const deletes = skipDeleteSet(reader, this.#bounds.deleteRanges, this.#strict)
    reader.finish()
    this.#deletesNothing = deletes === 0 && this.#emptied === null
    this.#parts = sections + this.runs.length + this.needs.size + deletes + this.#emptiedRanges
  }

  /** @throws MalformedUpdate if it leaves several values under a key, which would make Yjs throw when they are split */
  checkKeyedValues (): void {
    if (this.#keyedValues === null) return
    // A document that collects nothing joins values, but only deleted ones.
    const areDeleted = this.deleteSet.contains(DeleteSet.from(this.#keyedValues))
    if (!areDeleted) throw new MalformedUpdate('a key has several values', this.#deletesFrom)
  }

  get #emptiedRanges (): number {
    return (this.#emptied?.length ?? 0) / 3
  }

  /** Reads the section of one client: the number of structs, the client, the first clock, the structs. */
  #readSection (reader: StructReader): void {
    this.#maxRuns++
    const structs = reader.varUint()
    const client = reader.varUint()
    let clock = reader.varUint()
    this.#noteClient(client, reader)
    let runClock = clock
    let runStructs = 0
    let runFrom = reader.pos
    for (let i = 0; i < structs; i++) {
      reader.readStruct()
      const end = clock + reader.length
      if (end > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
      if (this.#strict) this.#check(reader, client, clock)
      if (reader.kind === kinds.skip) {
        this.#endRun(reader, client, runClock, clock, runStructs, runFrom, reader.from)
        runClock = end
        runStructs = 0
        runFrom = reader.pos
      } else {
        runStructs++
        if (reader.kind <= kinds.deleted) this.#noteEmptied(reader, client, clock)
        if (reader.kind !== kinds.gc) this.#noteNeeds(reader, client, clock, runClock)
      }
      clock = end
    }
    this.#endRun(reader, client, runClock, clock, runStructs, runFrom, reader.pos)
  }

  #endRun (
    reader: StructReader,
    client: number,
    clock: number,
    end: number,
    structs: number,
    from: number,
    to: number
  ): void {
    if (structs === 0) return
    if (this.runs.length === this.#maxRuns) reader.fail('it has too many gaps')
    this.runs.push({ client, clock, end, structs, from, to })
  }

  #check (reader: StructReader, client: number, clock: number): void {
    const flaw = flawOf(reader, client, clock)
    if (flaw !== null) reader.fail(flaw)
    if (reader.kind === kinds.type) this.#types++
    const hasKey = (reader.info & flags.parentSub) !== 0 && reader.kind !== kinds.gc
    if (hasKey) this.#hasKeys = true
    if (reader.length === 1 || !isSplittable(reader.kind)) return
    if ((reader.info & (flags.origin | flags.rightOrigin)) !== 0) this.#hasLongValues = true
    else if (hasKey) (this.#keyedValues ??= []).push(client, clock, clock + reader.length)
  }

  /**
   * Yjs applies only the last section of a client. It writes clients in descending order; only otherwise are they
   * remembered.
   */
  #noteClient (client: number, reader: StructReader): void {
    if (this.#clients === null && client < this.#lastClient) {
      this.#lastClient = client
      return
    }
    this.#clients ??= new Set(this.runs.map((run) => run.client)).add(this.#lastClient)
    if (this.#strict && this.#clients.has(client)) reader.fail('a client has two sections')
    this.#clients.add(client)
  }

  #noteEmptied (reader: StructReader, client: number, clock: number): void {
    if (reader.length === 0) return
    const emptied = (this.#emptied ??= [])
    const last = emptied.length - 1
    if (last > 0 && emptied[last] === clock && emptied[last - 2] === client) emptied[last] = clock + reader.length
    else emptied.push(client, clock, clock + reader.length)
    if (this.#emptiedRanges > this.#bounds.deleteRanges) reader.fail('it deletes too many ranges')
  }

  #noteNeeds (reader: StructReader, client: number, clock: number, runClock: number): void {
    this.#noteNeed(reader, reader.originClient, reader.originClock, client, clock, runClock)
    this.#noteNeed(reader, reader.rightClient, reader.rightClock, client, clock, runClock)
    this.#noteNeed(reader, reader.parentClient, reader.parentClock, client, clock, runClock)
  }

  #noteNeed (
    reader: StructReader,
    neededClient: number,
    neededClock: number,
    client: number,
    clock: number,
    runClock: number
  ): void {
    if (neededClient === noClient) return
    // The run itself holds it. (An unchecked struct can refer to itself and beyond.)
    if (neededClient === client && neededClock >= runClock && neededClock < clock) return
    this.#need(reader, neededClient, neededClock)
  }

  #need (reader: StructReader, client: number, clock: number): void {
    const needs = (this.#needs ??= new Map())
    if ((needs.get(client) ?? 0) > clock) return
    needs.set(client, clock + 1)
    if (needs.size > this.#bounds.needs) reader.fail('it refers to too many clients')
  }

  #readDeleteSet (): DeleteSet {
    const own = DeleteSet.read(new ByteReader(this.bytes, this.#deletesFrom))
    return this.#emptied === null ? own : DeleteSet.union([own, DeleteSet.from(this.#emptied)])
  }
}
