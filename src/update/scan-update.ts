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

/** What an update (V1) holds, read without building anything of it. Keeps the bytes, which must not be changed. */
export interface ScannedUpdate {
  readonly bytes: Uint8Array
  /** In the order of the bytes. */
  readonly runs: readonly ClientRun[]
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
  readonly needs: ReadonlyMap<number, number>
}

/**
 * Reads an update once, in time linear in its bytes and without allocating by what it promises.
 * @throws MalformedUpdate for anything Yjs's decoder would throw on, and for bytes that follow the update, numbers above 2^53 - 1, values nested more than
 * 500 levels deep and subdocuments whose options are no object (which Yjs never writes).
 */
export function scanUpdate (update: Uint8Array): ScannedUpdate {
  const reader = new StructReader(update)
  const scan = new Scan(update)
  for (let left = reader.varUint(); left > 0; left--) scan.readSection(reader)
  scan.deletesFrom = reader.pos
  const deletes = skipDeleteSet(reader)
  reader.finish()
  scan.deletesNothing = !deletes && !scan.deletesByStructs
  return scan
}

const noNeeds: ReadonlyMap<number, number> = new Map()

class Scan implements ScannedUpdate {
  readonly bytes: Uint8Array
  readonly runs: ClientRun[] = []
  needs = noNeeds
  deletesFrom = 0
  deletesNothing = true
  deletesByStructs = false
  repeatsClient = false
  #ownNeeds: Map<number, number> | null = null
  /** Flat: client, clock, length. */
  #goneStructs: number[] | null = null
  #deleteSet: DeleteSet | null = null
  #lastClient = Number.POSITIVE_INFINITY
  #clients: Set<number> | null = null

  constructor (bytes: Uint8Array) {
    this.bytes = bytes
  }

  get deleteSet (): DeleteSet {
    if (this.deletesNothing) return DeleteSet.empty
    this.#deleteSet ??= this.#readDeleteSet()
    return this.#deleteSet
  }

  /** One client's part: the number of structs, the client, the first clock, the structs. */
  readSection (reader: StructReader): void {
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
        runClock = end
        runStructs = 0
        runFrom = reader.pos
      } else {
        runStructs++
        if (reader.kind <= kinds.deleted) this.#noteGone(client, clock, reader.length)
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

  #noteGone (client: number, clock: number, length: number): void {
    if (length === 0) return
    this.deletesByStructs = true
    this.#goneStructs ??= []
    this.#goneStructs.push(client, clock, length)
  }

  /** Within its own run a struct finds what it refers to; one that refers to itself or beyond is broken and needs what nobody has. */
  #noteNeeds (reader: StructReader, client: number, clock: number, runClock: number): void {
    const { originClient, originClock, rightClient, rightClock, parentClient, parentClock } = reader
    if (originClient !== noClient && (originClient !== client || originClock < runClock || originClock >= clock)) this.#need(originClient, originClock)
    if (rightClient !== noClient && (rightClient !== client || rightClock < runClock || rightClock >= clock)) this.#need(rightClient, rightClock)
    if (parentClient !== noClient && (parentClient !== client || parentClock < runClock || parentClock >= clock)) this.#need(parentClient, parentClock)
  }

  #need (client: number, clock: number): void {
    if (this.#ownNeeds === null) this.needs = this.#ownNeeds = new Map()
    else if ((this.#ownNeeds.get(client) ?? 0) > clock) return
    this.#ownNeeds.set(client, clock + 1)
  }

  #readDeleteSet (): DeleteSet {
    const wire = DeleteSet.read(new ByteReader(this.bytes, this.deletesFrom))
    const gone = this.#goneStructs
    if (gone === null) return wire
    return DeleteSet.union([wire, DeleteSet.from(gone)])
  }
}
