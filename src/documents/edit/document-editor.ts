import { ConversionFailure } from '../../convert/conversion-failure.ts'
import { openPool, type Pool } from '../../workers/pool.ts'
import { limitOf } from '../../workers/pool-errors.ts'
import type { PoolOptions, PoolStats } from '../../workers/pool-options.ts'
import { siblingModule } from '../../workers/sibling-module.ts'
import { BlockNotFound, DamagedState } from './edit-failures.ts'
import { reviveError } from './edit-errors.ts'
import type { Edited, EditRequest } from './edit-request.ts'

/** What `openDocumentEditor` needs. */
export interface DocumentEditorOptions {
  /** The most threads. They start as they are needed, and end some time after their last edit. */
  threads: number
  /** The most edits that wait for a thread. */
  maxQueue: number
  /** The most bytes of documents and input that wait for a thread, unless one edit alone has more. */
  maxHeldBytes: number
  /** ms from the request to the result; 0: no limit. */
  deadlineMs: number
  /** MiB of heap for one thread. */
  memoryMb: number
  /** The address of the module with a project's own blocks. */
  blocksModule?: string | undefined
  logger?: PoolOptions['logger']
}

/** ms for which a thread stays without work. */
const idleMs = 60_000

/** Opens the pool. Its threads start with the first edit. */
export async function openDocumentEditor (options: DocumentEditorOptions): Promise<DocumentEditor> {
  const { threads, maxQueue, maxHeldBytes, memoryMb, blocksModule, logger } = options
  const pool = await openPool({
    module: siblingModule(import.meta.url, 'edit-task'),
    context: blocksModule,
    threads,
    maxQueue,
    maxQueuedBytes: maxHeldBytes,
    memoryMb,
    retry: 1,
    eager: false,
    idleMs: () => idleMs,
    revive: reviveError,
    ...logger !== undefined && { logger },
  })
  return new DocumentEditor(pool, options.deadlineMs)
}

/** Makes the Yjs updates of edits by API, in worker threads. */
export class DocumentEditor {
  readonly #pool: Pool
  readonly #deadlineMs: number

  constructor (pool: Pool, deadlineMs: number) {
    this.#pool = pool
    this.#deadlineMs = deadlineMs
  }

  /**
   * Makes the update of one edit. Neither the state nor the input is changed.
   * @param signal aborts the edit when its result is no longer wanted
   * @throws ConversionFailure; `invalid` says that the input cannot be read or merged
   * @throws BlockNotFound
   * @throws DamagedState
   */
  async edit (request: EditRequest, signal?: AbortSignal): Promise<Edited> {
    const bytes = request.type === 'create' ? 0 : request.state.byteLength
    const more = request.type === 'copy' ? 0 : request.input.byteLength
    try {
      return await this.#pool.run<Edited>(request, { signal, deadlineMs: this.#deadlineMs, bytes: bytes + more })
    } catch (error) {
      throw failureOf(error, signal)
    }
  }

  /** Threads, queue and counts, for metrics. */
  stats (): PoolStats {
    return this.#pool.stats()
  }

  /** Rejects the edits that wait or are in progress, and ends the threads. */
  async close (): Promise<void> {
    await this.#pool.close()
  }
}

function failureOf (error: unknown, signal: AbortSignal | undefined): Error {
  if (error instanceof BlockNotFound || error instanceof DamagedState) return error
  if (error instanceof ConversionFailure) return error
  const message = error instanceof Error ? error.message : 'The edit failed'
  const reason = signal?.aborted === true ? 'cancelled' : limitOf(error) ?? 'error'
  return new ConversionFailure(reason, message, { cause: error })
}
