import { type UpdateBounds, clientBounds, unbounded } from './bounds.ts'
import { ByteReader } from './byte-reader.ts'
import { DeleteSet, skipDeleteSet } from './delete-set.ts'
import { kinds, noClient, StructReader } from './struct-reader.ts'

/** One client's consecutive structs inside an update. A Skip ends a run: the next run of the client starts behind it. */
export interface ClientRun {
  readonly client: number
  readonly clock: number
  /** The clock after the last struct. Equal to `clock` when all its structs are empty. */
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
  /** A client has two sections; Yjs decodes both but applies the last one only, so such bytes must be merged before they are passed on. */
  readonly repeatsClient: boolean
  /** Client → the first clock that is not needed: one more than the highest clock that some struct refers to in another client's structs, or in its own client's before the run. */
  readonly needs: Iterable<readonly [client: number, clock: number]>
  /** What taking it in costs beyond its bytes: its clients, runs, ranges of deletions and needs. */
  readonly parts: number
}

/**
 * Reads an update once, in time linear in its bytes and without allocating by what it promises.
 * @throws MalformedUpdate for anything Yjs's decoder would throw on, and for bytes that follow the update, numbers above 2^53 - 1, values nested more than
 * 500 levels deep and subdocuments whose options are no object (which Yjs never writes).
 */
export function scanUpdate (update: Uint8Array): ScannedUpdate {
  return scan(update, unbounded)
}

/**
 * As `scanUpdate`, of what a client has sent: above one of `clientBounds` it is malformed, and read no further.
 * @throws MalformedUpdate
 */
export function scanClientUpdate (update: Uint8Array): ScannedUpdate {
  return scan(update, clientBounds)
}

function scan (update: Uint8Array, bounds: UpdateBounds): ScannedUpdate {
  const reader = new StructReader(update)
  const scanned = new Scan(update, bounds)
  const sections = reader.varUint()
  if (sections > bounds.clients) reader.fail('it has too many clients')
  for (let i = 0; i < sections; i++) scanned.readSection(reader, i + 1 + bounds.gaps)
  scanned.deletesFrom = reader.pos
  const deletes = skipDeleteSet(reader, bounds.deleteRanges)
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
  repeatsClient = false
  parts = 0
  #ownNeeds: Map<number, number> | null = null
  /** Flat: client, start, end. Neighbours are joined, so that there are no more than the runs and the structs between them make. */
  #goneStructs: number[] | null = null
  #deleteSet: DeleteSet | null = null
  #lastClient = Number.POSITIVE_INFINITY
  #clients: Set<number> | null = null

  constructor (bytes: Uint8Array, bounds: UpdateBounds) {
    this.bytes = bytes
    this.#bounds = bounds
  }

  get goneRanges (): number {
    return (this.#goneStructs?.length ?? 0) / 3
  }

  get deleteSet (): DeleteSet {
    if (this.deletesNothing) return DeleteSet.empty
    this.#deleteSet ??= this.#readDeleteSet()
    return this.#deleteSet
  }

  /** One client's part: the number of structs, the client, the first clock, the structs. @param maxRuns of the update so far */
  readSection (reader: StructReader, maxRuns: number): void {
    const structs = reader.varUint()
    const client = reader.varUint()
    let clock = reader.varUint()
    this.#noteClient(client)
    let runClock = clock
    let runStructs = 0
    let runFrom = reader.pos
    for (let i = 0; i < structs; i++) {
      reader.readStruct()
      const end = clock + reader.length
      if (end > Number.MAX_SAFE_INTEGER) reader.fail('a clock is out of range')
      if (reader.kind === kinds.skip) {
        this.#endRun(client, runClock, clock, runStructs, runFrom, reader.from)
        if (this.runs.length > maxRuns) reader.fail('it has too many gaps')
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
    this.#endRun(client, runClock, clock, runStructs, runFrom, reader.pos)
  }

  #endRun (client: number, clock: number, end: number, structs: number, from: number, to: number): void {
    if (structs > 0) this.runs.push({ client, clock, end, structs, from, to })
  }

  /** Yjs writes the clients in descending order; only where that is not so must they be remembered. */
  #noteClient (client: number): void {
    if (this.#clients === null && client < this.#lastClient) {
      this.#lastClient = client
      return
    }
    this.#clients ??= new Set(this.runs.map((run) => run.client)).add(this.#lastClient)
    if (this.#clients.has(client)) this.repeatsClient = true
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

  /** Within its own run a struct finds what it refers to; one that refers to itself or beyond is broken and needs what nobody has. */
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
