import { openPool, type Pool } from '../workers/pool.ts'
import { limitOf } from '../workers/pool-errors.ts'
import type { PoolOptions, PoolStats } from '../workers/pool-options.ts'
import { siblingModule } from '../workers/sibling-module.ts'
import type { BlockTable } from './blocks/block-table.ts'
import { loadBlockTable } from './blocks/blocks-module.ts'
import { ConversionFailure, type FailureReason } from './conversion-failure.ts'
import { convert, type Converted, type ConvertRequest } from './convert.ts'
import { reviveError } from './thread-errors.ts'
import { tryOutBlocksModule } from './try-out-blocks-module.ts'

/** Formats of a conversion, for metrics. */
interface Direction { from: string, to: string }

/** Bytes that are copied, in about 1 ms, before the event loop continues. */
const copiedAtOnce = 1 << 20

/** What `openConverter` needs. */
export interface ConverterOptions {
  /** Worker threads; on two cores one is right, the other carries the sync. */
  threads: number
  /** The most conversions that wait for a thread. */
  maxQueue: number
  /** The most bytes of input that wait or are converted in threads, unless one input alone is larger; 0: no limit. */
  maxHeldBytes?: number
  /** ms from the request to the result; 0: no limit. */
  deadlineMs: number
  /** MiB of heap for one thread. */
  memoryMb: number
  /**
   * Bytes; inputs up to this size are converted on the calling thread, in a fraction of a millisecond and without
   * regard to `deadlineMs`; 0: none.
   */
  inlineMaxBytes?: number
  /** The address of the module with a project's own blocks. */
  blocksModule?: string | undefined
  /** Time limit for loading it, in ms. */
  loadTimeoutMs?: number
  logger?: PoolOptions['logger']
  /** Called after each conversion, with its time from the request to the result. */
  onConverted?: (direction: Direction, seconds: number) => void
  /** Called for each conversion that failed. */
  onFailed?: (direction: Direction, reason: FailureReason) => void
}

/** Loads the block table and opens the pool. @throws InvalidBlocksModule */
export async function openConverter (options: ConverterOptions): Promise<Converter> {
  const { threads, maxQueue, memoryMb, blocksModule, loadTimeoutMs = 5000, logger } = options
  if (blocksModule !== undefined) await tryOutBlocksModule(blocksModule, loadTimeoutMs)
  const table = await loadBlockTable(blocksModule)
  const pool = await openPool({
    module: siblingModule(import.meta.url, 'convert-task'),
    context: blocksModule,
    threads,
    maxQueue,
    memoryMb,
    retry: 1,
    // The table above has shown that the module loads.
    eager: false,
    revive: reviveError,
    ...logger !== undefined && { logger },
  })
  return new Converter(options, table, pool)
}

/** Converts documents: small ones at once, others in worker threads, so that nothing else has to wait. */
export class Converter {
  readonly #options: ConverterOptions
  readonly #table: BlockTable
  readonly #pool: Pool
  #heldBytes = 0

  constructor (options: ConverterOptions, table: BlockTable, pool: Pool) {
    this.#options = options
    this.#table = table
    this.#pool = pool
  }

  /**
   * Converts one document.
   * @param signal aborts the conversion when its result is no longer wanted
   * @throws ConversionFailure
   */
  async convert (request: ConvertRequest, signal?: AbortSignal): Promise<Converted> {
    const direction = { from: request.from, to: request.to }
    const started = performance.now()
    try {
      const converted = await this.#perform(request, signal)
      this.#options.onConverted?.(direction, (performance.now() - started) / 1000)
      return converted
    } catch (error) {
      const failure = failureOf(error, signal)
      this.#options.onFailed?.(direction, failure.reason)
      throw failure
    }
  }

  /** Threads, queue and counts, for metrics. */
  stats (): PoolStats {
    return this.#pool.stats()
  }

  /** Rejects the conversions that wait or are in progress, and ends the threads. */
  async close (): Promise<void> {
    await this.#pool.close()
  }

  async #perform (request: ConvertRequest, signal: AbortSignal | undefined): Promise<Converted> {
    signal?.throwIfAborted()
    const { byteLength } = request.input
    const { inlineMaxBytes = 4096, maxHeldBytes = 0, deadlineMs } = this.#options
    if (byteLength <= inlineMaxBytes) return convert(request, this.#table)
    const isFull = maxHeldBytes > 0 && this.#heldBytes > 0 && this.#heldBytes + byteLength > maxHeldBytes
    if (isFull) throw new ConversionFailure('busy', 'Too many bytes wait to be converted')
    this.#heldBytes += byteLength
    try {
      const input = await shared(request.input)
      return await this.#pool.run<Converted>({ ...request, input }, { signal, deadlineMs })
    } finally {
      this.#heldBytes -= byteLength
    }
  }
}

/**
 * Copies a large input to memory that the thread shares, bit by bit: sending it would copy it at once. It is still
 * available if the thread dies and the conversion is retried.
 */
async function shared (input: Uint8Array): Promise<Uint8Array> {
  if (input.length <= copiedAtOnce) return input
  const copy = new Uint8Array(new SharedArrayBuffer(input.length))
  for (let at = 0; at < input.length; at += copiedAtOnce) {
    copy.set(input.subarray(at, at + copiedAtOnce), at)
    await new Promise(setImmediate)
  }
  return copy
}

function failureOf (error: unknown, signal: AbortSignal | undefined): ConversionFailure {
  const message = error instanceof Error ? error.message : 'The conversion failed'
  if (signal?.aborted === true) return new ConversionFailure('cancelled', message, { cause: error })
  return error instanceof ConversionFailure ? error : new ConversionFailure(limitOf(error) ?? 'error', message, { cause: error })
}
