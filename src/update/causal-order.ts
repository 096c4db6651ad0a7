import type { Clocks } from './merge-updates.ts'
import type { ClientRun, ScannedUpdate } from './scan-update.ts'
import { noClient, StructReader } from './struct-reader.ts'

/** Receives the structs one by one: the one that `reader` has just read. */
export type EmitStruct = (reader: StructReader, client: number, clock: number) => void

/**
 * Emits the structs of an update that end beyond the clocks in `held`, in an order in which each refers only to structs
 * that are held or were emitted before. Structs that depend on something that is neither held nor in the update come
 * last, client by client. Linear in the update's bytes.
 * @param update its runs must not overlap (`mergeUpdates` ensures that)
 */
export function emitInCausalOrder (update: ScannedUpdate, held: Clocks, emit: EmitStruct): void {
  const queues = new Map<number, StructQueue>()
  for (const run of update.runs) {
    const queue = queues.get(run.client)
    if (queue === undefined) queues.set(run.client, new StructQueue(update.bytes, run, held.get(run.client) ?? 0))
    else queue.runs.push(run)
  }
  const walk = new CausalWalk(queues, held, emit)
  for (const queue of queues.values()) walk.drain(queue)
  for (const queue of queues.values()) {
    for (; queue.ready(); queue.next()) emit(queue.reader, queue.client, queue.clock)
  }
}

interface StructId { readonly client: number, readonly clock: number }

/** The structs of one client that are not emitted yet. */
class StructQueue {
  readonly client: number
  readonly runs: ClientRun[]
  readonly #bytes: Uint8Array
  #clock: number
  #written: number
  #isStuck = false
  /** Kept only during a walk: a document of 100,000 clients must not hold as many readers. */
  #reader: StructReader | undefined
  #run = 0
  #isRead = false

  constructor (bytes: Uint8Array, run: ClientRun, held: number) {
    this.#bytes = bytes
    this.client = run.client
    this.runs = [run]
    this.#clock = run.clock
    this.#written = held
  }

  /** Clock of the struct that `reader` holds, while `ready()`. */
  get clock (): number { return this.#clock }
  /** All clocks before it are held or were emitted. */
  get written (): number { return this.#written }
  /** Whether its next struct waits for one that is missing. */
  get isStuck (): boolean { return this.#isStuck }

  /** Holds the struct that `ready` has found. */
  get reader (): StructReader {
    return (this.#reader ??= new StructReader(this.#bytes, this.runs[this.#run]?.from))
  }

  /** Makes `reader` hold the next struct. @returns false at the end */
  ready (): boolean {
    if (this.#isRead) return true
    for (let run = this.runs[this.#run]; run !== undefined; run = this.runs[this.#run]) {
      if (run.end > this.#written && this.#readIn(run)) return (this.#isRead = true)
      this.#reader = undefined
      const following = this.runs[++this.#run]
      if (following !== undefined) this.#clock = following.clock
    }
    return false
  }

  #readIn (run: ClientRun): boolean {
    const { reader } = this
    while (reader.pos < run.to) {
      reader.readStruct()
      if (this.#clock + reader.length > this.#written) return true
      this.#clock += reader.length
    }
    return false
  }

  /** Passes the struct that `reader` holds. */
  next (): void {
    this.#isRead = false
    this.#clock += this.reader.length
    this.#written = Math.max(this.#written, this.#clock)
  }

  /** Notes that its next struct waits for one that is missing. */
  stop (): void {
    this.#isStuck = true
  }
}

/** Walks depth first: if a struct needs one of another client, the walk continues there until the need is met. */
class CausalWalk {
  readonly #queues: ReadonlyMap<number, StructQueue>
  readonly #held: Clocks
  readonly #emit: EmitStruct

  constructor (queues: ReadonlyMap<number, StructQueue>, held: Clocks, emit: EmitStruct) {
    this.#queues = queues
    this.#held = held
    this.#emit = emit
  }

  /** Emits a client's structs, and those of other clients that they need, as far as none is missing. */
  drain (first: StructQueue): void {
    const stack = [{ queue: first, until: Number.POSITIVE_INFINITY }]
    const waiting = new Set([first])
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { queue, until } = top
      const need = this.#advance(queue, until)
      const needed = need === null ? undefined : this.#queues.get(need.client)
      if (need !== null && needed !== undefined && !needed.isStuck && !waiting.has(needed) && needed.ready()) {
        stack.push({ queue: needed, until: need.clock + 1 })
        waiting.add(needed)
        continue
      }
      if (need !== null) queue.stop()
      waiting.delete(queue)
      stack.pop()
    }
  }

  /**
   * Emits structs of one client up to a clock, or until it needs a struct first.
   * @returns that struct; null when done
   */
  #advance (queue: StructQueue, until: number): StructId | null {
    while (!queue.isStuck && queue.written < until && queue.ready()) {
      if (queue.clock > queue.written) {
        queue.stop()
        return null
      }
      const { reader, client } = queue
      const { originClient, originClock, rightClient, rightClock, parentClient, parentClock } = reader
      if (!this.#has(client, originClient, originClock)) return { client: originClient, clock: originClock }
      if (!this.#has(client, rightClient, rightClock)) return { client: rightClient, clock: rightClock }
      if (!this.#has(client, parentClient, parentClock)) return { client: parentClient, clock: parentClock }
      this.#emit(reader, client, queue.clock)
      queue.next()
    }
    return null
  }

  #has (client: number, neededClient: number, neededClock: number): boolean {
    if (neededClient === noClient || neededClient === client) return true
    return neededClock < (this.#queues.get(neededClient)?.written ?? this.#held.get(neededClient) ?? 0)
  }
}
