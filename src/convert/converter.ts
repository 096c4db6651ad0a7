import { openPool, type Pool, type PoolOptions, type PoolStats } from '../workers/pool.ts'
import { PoolBusy, PoolDeadline, PoolMemory } from '../workers/pool-errors.ts'
import { siblingModule } from '../workers/sibling-module.ts'
import type { BlockTable } from './blocks/block-table.ts'
import { InvalidBlocksModule, loadBlockTable } from './blocks/blocks-module.ts'
import { convert, type Converted, type ConvertRequest } from './convert.ts'
import { InvalidContent } from './invalid-content.ts'
import { tryOutBlocksModule } from './try-out-blocks-module.ts'

/** Why a conversion failed, for metrics. */
export type FailureReason = 'invalid' | 'busy' | 'deadline' | 'memory' | 'cancelled' | 'error'

export interface ConverterOptions {
  /** Worker threads; on two cores one is right, the other carries the sync. */
  threads: number
  maxQueue: number
  /** The most bytes of input that are held for threads, waiting and at work, unless one alone has more; 0: no limit. */
  maxHeldBytes?: number
  /** From the request to the result; 0: no limit. */
  deadlineMs: number
  memoryMb: number
  /** Smaller inputs are converted where they are, in a fraction of a millisecond; 0: none. Not where `deadlineMs` must hold for them too. */
  inlineMaxBytes?: number
  /** The address of the module with a project's own blocks. */
  blocksModule?: string | undefined
  /** Time limit for loading it, in ms; default 5000. */
  loadTimeoutMs?: number
  logger?: PoolOptions['logger']
  /** Called after each conversion: its direction, and its time from the request to the result. */
  onConverted?: (direction: { from: string, to: string }, seconds: number) => void
  onFailed?: (direction: { from: string, to: string }, reason: FailureReason) => void
}

/** Loads the block table and starts the pool. @throws InvalidBlocksModule */
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
    // The table above has loaded the same module: what is wrong with it is known already.
    eager: false,
    revive: ({ name, message }) => name === 'InvalidContent' ? new InvalidContent(message) : name === 'InvalidBlocksModule' ? new InvalidBlocksModule(message) : undefined,
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
   * @param signal ends the conversion when nobody waits for it any more
   * @throws InvalidContent, PoolBusy, PoolDeadline, PoolMemory, or the signal's reason
   */
  async convert (request: ConvertRequest, signal?: AbortSignal): Promise<Converted> {
    const direction = { from: request.from, to: request.to }
    const started = performance.now()
    try {
      const converted = await this.#perform(request, signal)
      this.#options.onConverted?.(direction, (performance.now() - started) / 1000)
      return converted
    } catch (error) {
      this.#options.onFailed?.(direction, signal?.aborted === true ? 'cancelled' : reasonOf(error))
      throw error
    }
  }

  /** Threads, queue and counts, to be read when metrics are. */
  stats (): PoolStats {
    return this.#pool.stats()
  }

  async close (): Promise<void> {
    await this.#pool.close()
  }

  async #perform (request: ConvertRequest, signal: AbortSignal | undefined): Promise<Converted> {
    signal?.throwIfAborted()
    if (request.input.byteLength <= (this.#options.inlineMaxBytes ?? 4096)) return convert(request, this.#table)
    const { byteLength } = request.input
    const { maxHeldBytes = 0, deadlineMs } = this.#options
    if (maxHeldBytes > 0 && this.#heldBytes > 0 && this.#heldBytes + byteLength > maxHeldBytes) throw new PoolBusy('Too much is waiting')
    this.#heldBytes += byteLength
    try {
      return await this.#pool.run<Converted>(request, { signal, deadlineMs })
    } finally {
      this.#heldBytes -= byteLength
    }
  }
}

function reasonOf (error: unknown): FailureReason {
  if (error instanceof InvalidContent) return 'invalid'
  if (error instanceof PoolBusy) return 'busy'
  if (error instanceof PoolDeadline) return 'deadline'
  return error instanceof PoolMemory ? 'memory' : 'error'
}
