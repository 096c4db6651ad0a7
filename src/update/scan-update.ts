import { type UpdateBounds, clientBounds, unbounded } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { DeleteSet, skipDeleteSet } from './delete-set.ts'
import { MalformedUpdate } from './malformed-update.ts'
import { flawOf } from './struct-flaws.ts'
import { flags, isSplittable, kinds, noClient, StructReader } from './struct-reader.ts'

/** One client's consecutive structs inside an update. A Skip ends a run: the next run of the client starts behind it. */
export interface ClientRun {
  readonly client: number
  readonly clock: number
  /** The clock after the last struct. Equal to `clock` only in an unchecked update whose structs are all empty. */
  readonly end: number
  /** Number of structs, empty ones too. */
  readonly structs: number
  /** Byte offsets of the structs, without the numbers that precede them. */
  readonly from: number
  readonly to: number
}

/** The runs of an update; an array, or a view on what came from another thread. */
export interface Runs extends Iterable<ClientRun> {
  readonly length: number
}

/** What an update (V1) holds, read without building anything of it. Keeps the bytes, which must not be changed. */
export interface ScannedUpdate {
  readonly bytes: Uint8Array
  /** In the order of the bytes. */
  readonly runs: Runs
  /** The update's own delete set, and the ranges of structs whose content is gone. Not to be changed. Read from the bytes when first asked for. */
  readonly deleteSet: DeleteSet
  /** Without reading it: is `deleteSet` empty? */
  readonly deletesNothing: boolean
  /** Offset at which the update's own delete set begins; it ends with the bytes. */
  readonly deletesFrom: number
  /** Is the content of some struct gone, so that `deleteSet` may be more than the update's own? */
  readonly deletesByStructs: boolean
  /**
   * Can only the document tell whether Yjs can apply it? `values`: it places values of several clocks beside other structs (`KeyedClocks.allows` decides).
   * `types`: it has very many nested types (`inspectUpdate`). Never for a keystroke.
   */
  readonly needsInspection: false | 'values' | 'types'
  /** Client → the first clock that is not needed: one more than the highest clock that some struct refers to in another client's structs, or in its own client's before the run. */
  readonly needs: Iterable<readonly [client: number, clock: number]>
  /** How many shared types (elements, maps, texts) it adds. */
  readonly types: number
  /** What taking it in costs beyond its bytes: its clients, runs, ranges of deletions and needs. */
  readonly parts: number
}

/** A document of so many nested types is an import, which may go to a worker; typing makes a handful. Below what `maxTypeDepth` allows to nest. */
export const manyTypes = 250

/**
 * Reads an update once, in time linear in its bytes and without allocating by what it promises.
 * @throws MalformedUpdate for anything Yjs's decoder would throw on, for what no writer writes and Yjs cannot apply (see docs/decisions/update-bytes.md), and
 * for bytes that follow the update, numbers above 2^53 - 1 and values nested more than 500 levels deep.
 */
export function scanUpdate (update: Uint8Array): ScannedUpdate {
  return scan(update, unbounded, true)
}

/**
 * As `scanUpdate`, of what a client has sent: above one of `clientBounds` it is malformed, and read no further; and a key has one value that the update
 * does not delete. (Of what is stored, another update may have deleted the others.)
 * @throws MalformedUpdate
 */
export function scanClientUpdate (update: Uint8Array): ScannedUpdate {
  const scanned = scan(update, clientBounds, true)
  scanned.checkKeyedValues()
  return scanned
}

/**
 * As `scanUpdate`, but accepts all that decodes, whether or not Yjs can apply it: for what was stored before such updates were rejected. To be merged
 * (`mergeRuns`) before it is passed on, as Yjs applies only the last section of a client.
 * @throws MalformedUpdate
 */
export function scanUnchecked (update: Uint8Array): ScannedUpdate {
  return scan(update, unbounded, false)
}

function scan (update: Uint8Array, bounds: UpdateBounds, strict: boolean): Scan {
  const reader = new StructReader(update, 0, strict)
  const scanned = new Scan(update, bounds, strict)
  const sections = reader.varUint()
  if (sections > bounds.clients) reader.fail('it has too many clients')
  for (let left = sections; left > 0; left--) scanned.readSection(reader)
  scanned.deletesFrom = reader.pos
  const deletes = skipDeleteSet(reader, bounds.deleteRanges, strict)
  reader.finish()
  scanned.deletesNothing = deletes === 0 && !scanned.deletesByStructs
  scanned.parts = sections + scanned.runs.length + scanned.needs.size + deletes + scanned.goneRanges
  return scanned
}

const noNeeds: ReadonlyMap<number, number> = new Map()

class Scan implements ScannedUpdate {
  readonly bytes: Uint8Array
  readonly #bounds: UpdateBounds
  readonly runs: ClientRun[] = []
  needs = noNeeds
  deletesFrom = 0
  deletesNothing = true
  deletesByStructs = false
  parts = 0
  readonly #strict: boolean
  /** One for each section so far, and those behind gaps */
  #maxRuns: number
  #ownNeeds: Map<number, number> | null = null
  /** Flat: client, start, end. OtherNodes are joined, so that there are no more than the runs and the structs between them make. */
  #goneStructs: number[] | null = null
  #deleteSet: DeleteSet | null = null
  #lastClient = Number.POSITIVE_INFINITY
  #clients: Set<number> | null = null
  types = 0
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

  get goneRanges (): number {
    return (this.#goneStructs?.length ?? 0) / 3
  }

  get needsInspection (): false | 'values' | 'types' {
    if (this.types > manyTypes) return 'types'
    return this.#hasLongValues && (this.#hasKeys || this.needs.size > 0) ? 'values' : false
  }

  get deleteSet (): DeleteSet {
    if (this.deletesNothing) return DeleteSet.empty
    this.#deleteSet ??= this.#readDeleteSet()
    return this.#deleteSet
  }

  /** One client's part: the number of structs, the client, the first clock, the structs. */
  readSection (reader: StructReader): void {
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
        if (reader.kind <= kinds.deleted) this.#noteGone(reader, client, clock)
        if (reader.kind !== kinds.gc) this.#noteNeeds(reader, client, clock, runClock)
      }
      clock = end
    }
    this.#endRun(reader, client, runClock, clock, runStructs, runFrom, reader.pos)
  }

  #endRun (reader: StructReader, client: number, clock: number, end: number, structs: number, from: number, to: number): void {
    if (structs === 0) return
    if (this.runs.length === this.#maxRuns) reader.fail('it has too many gaps')
    this.runs.push({ client, clock, end, structs, from, to })
  }

  #check (reader: StructReader, client: number, clock: number): void {
    const flaw = flawOf(reader, client, clock)
    if (flaw !== null) reader.fail(flaw)
    if (reader.kind === kinds.type) this.types++
    const hasKey = (reader.info & flags.parentSub) !== 0 && reader.kind !== kinds.gc
    if (hasKey) this.#hasKeys = true
    if (reader.length === 1 || !isSplittable(reader.kind)) return
    if ((reader.info & (flags.origin | flags.rightOrigin)) !== 0) this.#hasLongValues = true
    else if (hasKey) (this.#keyedValues ??= []).push(client, clock, clock + reader.length)
  }

  /** A key has one value. Only a document that collects nothing joins several, which it has deleted; a live one would make Yjs throw when it is split. */
  checkKeyedValues (): void {
    if (this.#keyedValues === null) return
    if (!this.deleteSet.contains(DeleteSet.from(this.#keyedValues))) throw new MalformedUpdate('a key has several values', this.deletesFrom)
  }

  /** Yjs writes the clients in descending order; only where that is not so must they be remembered. It would apply only the last section of a client. */
  #noteClient (client: number, reader: StructReader): void {
    if (this.#clients === null && client < this.#lastClient) {
      this.#lastClient = client
      return
    }
    this.#clients ??= new Set(this.runs.map((run) => run.client)).add(this.#lastClient)
    if (this.#strict && this.#clients.has(client)) reader.fail('a client has two sections')
    this.#clients.add(client)
  }

  #noteGone (reader: StructReader, client: number, clock: number): void {
    if (reader.length === 0) return
    this.deletesByStructs = true
    const gone = (this.#goneStructs ??= [])
    const last = gone.length - 1
    if (last > 0 && gone[last] === clock && gone[last - 2] === client) gone[last] = clock + reader.length
    else gone.push(client, clock, clock + reader.length)
    if (this.goneRanges > this.#bounds.deleteRanges) reader.fail('it deletes too many ranges')
  }

  /** Within its own run a struct finds what it refers to; one that refers to itself or beyond (unchecked) needs what nobody has. */
  #noteNeeds (reader: StructReader, client: number, clock: number, runClock: number): void {
    const { originClient, originClock, rightClient, rightClock, parentClient, parentClock } = reader
    if (originClient !== noClient && (originClient !== client || originClock < runClock || originClock >= clock)) this.#need(reader, originClient, originClock)
    if (rightClient !== noClient && (rightClient !== client || rightClock < runClock || rightClock >= clock)) this.#need(reader, rightClient, rightClock)
    if (parentClient !== noClient && (parentClient !== client || parentClock < runClock || parentClock >= clock)) this.#need(reader, parentClient, parentClock)
  }

  #need (reader: StructReader, client: number, clock: number): void {
    if (this.#ownNeeds === null) this.needs = this.#ownNeeds = new Map()
    else if ((this.#ownNeeds.get(client) ?? 0) > clock) return
    this.#ownNeeds.set(client, clock + 1)
    if (this.#ownNeeds.size > this.#bounds.needs) reader.fail('it refers to too many clients')
  }

  #readDeleteSet (): DeleteSet {
    const wire = DeleteSet.read(new ByteReader(this.bytes, this.deletesFrom))
    const gone = this.#goneStructs
    if (gone === null) return wire
    return DeleteSet.union([wire, DeleteSet.from(gone)])
  }
}
