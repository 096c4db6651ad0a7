import type { CompactResult, DocumentWork, ScanResult } from '../sync/document-work.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import type { DocumentTask } from './document-tasks.ts'
import { pack } from './packed-updates.ts'
import { openPool, type Pool, type PoolOptions } from './pool.ts'
import { siblingModule } from './sibling-module.ts'

/** Checking a frame of the largest size takes a fraction of a second; a minute means that something is wrong. */
const scanDeadlineMs = 60_000
/** Rewriting a document of hundreds of MB takes a minute or two. */
const documentDeadlineMs = 600_000
/** MiB of heap for one thread: a document of 100 MB with a long history takes about ten times its bytes. */
const memoryMb = 2048
const smallHeapBytes = 48 * 1024 * 1024

/**
 * A thread keeps the heap that its largest document took, so one that has become large soon ends, and so do those that were needed for a
 * moment only. One stays for longer: a new one costs 0.4 s of processor time, for its modules and for compiling what it runs often,
 * which is more than compacting a small document every half minute.
 */
const idleMs = (heapBytes: number, others: number): number => others === 0 && heapBytes < smallHeapBytes ? 90_000 : 10_000
/** Far more than there are large documents; each waiting task holds its document's bytes. */
const maxQueue = 1000

/** The work on documents, in threads of its own: a conversion that takes long must not hold up a joiner. */
export class DocumentThreads implements DocumentWork {
  readonly #pool: Pool

  private constructor (pool: Pool) {
    this.#pool = pool
  }

  static async open (threads: number, logger: NonNullable<PoolOptions['logger']>): Promise<DocumentThreads> {
    return new DocumentThreads(await openPool({
      module: siblingModule(import.meta.url, 'document-tasks'),
      threads,
      maxQueue,
      memoryMb,
      logger,
      retry: 1,
      eager: false,
      idleMs,
      revive: ({ name, message }) => name === 'MalformedUpdate' ? Object.assign(Object.create(MalformedUpdate.prototype) as MalformedUpdate, { message }) : undefined,
    }))
  }

  scan (update: Uint8Array): Promise<ScanResult> {
    return this.#run({ type: 'scan', updates: pack([update]) }, scanDeadlineMs)
  }

  know (known: Uint8Array | undefined, updates: readonly Uint8Array[]): Promise<Uint8Array> {
    return this.#run({ type: 'know', known, updates: pack(updates) })
  }

  compact (updates: readonly Uint8Array[], maxPieceBytes: number): Promise<CompactResult> {
    return this.#run({ type: 'compact', updates: pack(updates), maxPieceBytes })
  }

  difference (updates: readonly Uint8Array[], stateVector: Uint8Array, maxPieceBytes: number): Promise<readonly Uint8Array[]> {
    return this.#run({ type: 'difference', updates: pack(updates), stateVector, maxPieceBytes })
  }

  close (): Promise<void> {
    return this.#pool.close()
  }

  #run<Result> (task: DocumentTask, deadlineMs = documentDeadlineMs): Promise<Result> {
    return this.#pool.run<Result>(task, { deadlineMs })
  }
}
