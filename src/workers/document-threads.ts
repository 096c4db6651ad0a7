import type { CompactResult, DocumentWork, TrimmedUpdate, UpdateOrigin } from '../sync/document-work.ts'
import type { PackedKnown } from '../update/known.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import type { PackedScan } from '../update/packed-scan.ts'
import type { DocumentTask, DocumentThreadContext, UpdateFlaw } from './document-tasks.ts'
import { pack, packInSteps } from './packed-updates.ts'
import { limitOf } from './pool-errors.ts'
import type { PoolOptions, PoolStats, RunOptions } from './pool-options.ts'
import { openPool, type Pool } from './pool.ts'
import { siblingModule } from './sibling-module.ts'

/** All lanes: for small and large tasks that somebody waits for, and in the background. No lane waits for another. */
export const lanes = ['interactive', 'large', 'background', 'background-large'] as const
/** The threads for one kind of task. */
export type Lane = typeof lanes[number]

/** All reasons for which a task fails, for metrics. `malformed` is the update's fault, the others are not. */
export const taskFailures = ['busy', 'deadline', 'memory', 'malformed', 'error'] as const
/** Why a task failed. */
type TaskFailure = typeof taskFailures[number]

/** The state and the counts of one lane. */
export interface LaneStats extends PoolStats {
  readonly failures: Readonly<Record<TaskFailure, number>>
}

/** Larger tasks take a good part of a second, and a paste or an ordinary document must not wait that long. In bytes. */
const largeTaskBytes = 4 * 1024 * 1024
/** Each thread can hold a document of hundreds of MB, and at most two differences are computed at once. */
const maxLargeThreads = 2
/** One document is compacted at a time. */
const backgroundThreads = 1
/**
 * Niceness of the background threads (Linux, 0 to 19): on a busy machine they get a third of the processor time of a
 * thread that somebody waits for.
 */
const backgroundNiceness = 5

/** ms for a thread that loads its modules on a busy machine, and for a small document. */
const baseWorkMs = 10_000
/**
 * About ten times the measured time, so that a task does not fail because the machine is busy
 * (docs/decisions/worker-pool.md). A document that takes longer was made to take long.
 */
const workMsPerMiB: Readonly<Record<DocumentTask['type'], number>> = {
  scan: 500,
  inspect: 1000,
  keyed: 1000,
  trim: 500,
  know: 500,
  unite: 500,
  difference: 2000,
  merge: 2500,
  compact: 8000,
}

/** ms that a task can occupy its thread; waiting does not count. */
export function workLimitMs (type: DocumentTask['type'], bytes: number): number {
  return baseWorkMs + workMsPerMiB[type] * bytes / 2 ** 20
}

/** ms after which a client that waits for its answer has to retry. Tasks in the background have no limit. */
const maxWaitMs = 60_000
/**
 * MiB of heap for one thread. Compacting 100 MB with a long history takes about ten times the bytes; 4 MiB of nothing
 * but nested types, the worst that was found, takes 500. A lower limit makes V8 collect sooner: at 2,048 and above the
 * heap grows to four times what is in use, at 1,024 to 1.6 times (`MemoryController`,
 * v8/src/heap/memory-controller.cc).
 */
const smallMemoryMb = 1024
const largeMemoryMb = 1920
/**
 * A quarter of V8's default, and as fast, since documents outlive the young generation
 * (docs/decisions/bounded-counts.md).
 */
const youngMemoryMb = 12
const smallHeapBytes = 48 * 1024 * 1024

/**
 * ms that a thread stays without work. It keeps the heap that its largest document took, so a thread that has become
 * large ends soon, and so do threads beyond the first. A small last one stays longer: a new thread costs 0.4 s of
 * processor time to load and compile its modules, more than compacting a small document every half minute.
 */
const idleMs = (heapBytes: number, otherThreads: number): number =>
  otherThreads === 0 && heapBytes < smallHeapBytes ? 90_000 : 10_000
/** Tasks that wait in one lane: far more than there are large documents. */
const maxQueue = 1000
/** Bytes that wait in one lane, which a thread's heap limit does not cover: twice MAX_DOCUMENT_BYTES. */
const maxQueuedBytes = 512 * 1024 * 1024

/**
 * The work on documents, in threads of its own: a long conversion must not delay a client that joins, and a compaction
 * must not delay a paste.
 */
export class DocumentThreads implements DocumentWork {
  readonly #pools: Readonly<Record<Lane, Pool>>
  readonly #failures: Readonly<Record<Lane, Record<TaskFailure, number>>> = {
    interactive: noFailures(),
    large: noFailures(),
    background: noFailures(),
    'background-large': noFailures(),
  }

  private constructor (pools: Readonly<Record<Lane, Pool>>) {
    this.#pools = pools
  }

  /** Opens the lanes. Threads start when they are needed. @param threads the most of the interactive lane */
  static async open (threads: number, logger: NonNullable<PoolOptions['logger']>): Promise<DocumentThreads> {
    const open = (threads: number, memoryMb: number, niceness: number): Promise<Pool> => openPool({
      module: siblingModule(import.meta.url, 'document-tasks'),
      context: { niceness } satisfies DocumentThreadContext,
      threads,
      maxQueue,
      maxQueuedBytes,
      memoryMb,
      youngMemoryMb,
      logger,
      retry: 1,
      eager: false,
      idleMs,
      revive,
    })
    return new DocumentThreads({
      interactive: await open(threads, smallMemoryMb, 0),
      large: await open(Math.min(threads, maxLargeThreads), largeMemoryMb, 0),
      background: await open(backgroundThreads, smallMemoryMb, backgroundNiceness),
      'background-large': await open(backgroundThreads, largeMemoryMb, backgroundNiceness),
    })
  }

  scan (update: Uint8Array, origin: UpdateOrigin, room: string): Promise<PackedScan> {
    return this.#wait({ type: 'scan', updates: pack([update]), origin }, room)
  }

  async inspect (update: Uint8Array, updates: readonly Uint8Array[], room: string): Promise<void> {
    return await this.#wait({ type: 'inspect', update, updates: await packInSteps(updates) }, room)
  }

  async keyed (updates: readonly Uint8Array[], room: string): Promise<Float64Array> {
    return await this.#wait({ type: 'keyed', updates: await packInSteps(updates) }, room)
  }

  trim (update: Uint8Array, stateVector: Uint8Array, room: string): Promise<TrimmedUpdate> {
    return this.#wait({ type: 'trim', updates: pack([update]), stateVector }, room)
  }

  know (known: Uint8Array | undefined, updates: readonly Uint8Array[], room: string): Promise<PackedKnown> {
    return this.#wait({ type: 'know', known, updates: pack(updates) }, room)
  }

  unite (
    states: ReadonlyArray<Uint8Array | PackedKnown>,
    updates: readonly Uint8Array[],
    room: string
  ): Promise<Uint8Array> {
    return this.#wait({ type: 'unite', states, updates: pack(updates) }, room)
  }

  async difference (
    updates: readonly Uint8Array[],
    stateVector: Uint8Array,
    maxPieceBytes: number,
    room: string,
    signal?: AbortSignal
  ): Promise<readonly Uint8Array[]> {
    const packed = await packInSteps(updates)
    return await this.#wait({ type: 'difference', updates: packed, stateVector, maxPieceBytes }, room, signal)
  }

  async compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    return await this.#runInBackground({ type: 'compact', updates: await packInSteps(updates), maxPieceBytes })
  }

  async merge (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    return await this.#runInBackground({ type: 'merge', updates: await packInSteps(updates), maxPieceBytes })
  }

  /** Threads, queue and counts of a lane, for metrics. */
  stats (lane: Lane): LaneStats {
    return { ...this.#pools[lane].stats(), failures: this.#failures[lane] }
  }

  /** Rejects the tasks that wait or are in progress, and ends the threads. */
  async close (): Promise<void> {
    await Promise.all(lanes.map((lane) => this.#pools[lane].close()))
  }

  #wait<Result> (task: DocumentTask, key: string, signal?: AbortSignal): Promise<Result> {
    return this.#run(isLarge(task) ? 'large' : 'interactive', task, { key, deadlineMs: maxWaitMs, signal })
  }

  #runInBackground<Result> (task: DocumentTask): Promise<Result> {
    return this.#run(isLarge(task) ? 'background-large' : 'background', task)
  }

  async #run<Result> (lane: Lane, task: DocumentTask, options: RunOptions = {}): Promise<Result> {
    const bytes = bytesOf(task)
    try {
      return await this.#pools[lane].run<Result>(task, { bytes, workMs: workLimitMs(task.type, bytes), ...options })
    } catch (error) {
      // Nobody wants the result any more: no failure.
      if (options.signal?.aborted !== true) this.#failures[lane][failureOf(error)]++
      throw error
    }
  }
}

function isLarge (task: DocumentTask): boolean {
  return bytesOf(task) > largeTaskBytes
}

/** The bytes that a thread reads for the task: an update can be large although the document is small. */
function bytesOf (task: DocumentTask): number {
  const { length } = task.updates
  if (task.type === 'unite') return task.states.reduce((sum, state) => sum + bytesOfState(state), length)
  const more = task.type === 'inspect' ? task.update : task.type === 'know' ? task.known : undefined
  return length + (more?.length ?? 0)
}

function bytesOfState (state: Uint8Array | PackedKnown): number {
  if (state instanceof Uint8Array) return state.length
  const { clocks, beyond, deletes } = state
  return clocks.clients.byteLength + clocks.clocks.byteLength + beyond.byteLength + deletes.byteLength
}

function revive (description: unknown): Error {
  const { reason, offset } = description as UpdateFlaw // `document-tasks.ts` describes no other errors
  return new MalformedUpdate(reason, offset)
}

function noFailures (): Record<TaskFailure, number> {
  return { busy: 0, deadline: 0, memory: 0, malformed: 0, error: 0 }
}

function failureOf (error: unknown): TaskFailure {
  return error instanceof MalformedUpdate ? 'malformed' : limitOf(error) ?? 'error'
}
