import { Piscina } from 'piscina'
import type { Logger } from '../logger.ts'

export interface PoolOptions {
  /** Its default export is called with each task, in a worker thread */
  readonly module: URL
  readonly threads: number
  /** Tasks that may wait */
  readonly maxQueue: number
  /** MiB of heap that one worker may use */
  readonly memoryMb: number
  readonly logger: Logger
}

export interface RunOptions {
  readonly signal?: AbortSignal
  readonly deadlineMs?: number
  readonly transfer?: readonly ArrayBuffer[]
}

/** Worker threads that take tasks first come first served. */
export interface Pool {
  run<Result> (task: object, options?: RunOptions): Promise<Result>
  close (): Promise<void>
}

export function openPool ({ module, threads, maxQueue, memoryMb }: PoolOptions): Pool {
  const isTypescript = module.pathname.endsWith('.ts')
  const piscina = new Piscina({
    filename: (isTypescript ? new URL('./from-typescript.mjs', import.meta.url) : module).href,
    workerData: { module: module.href },
    execArgv: [],
    minThreads: 0,
    maxThreads: threads,
    maxQueue,
    idleTimeout: 30_000,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  })
  return {
    run: async (task, { signal, deadlineMs, transfer = [] } = {}) => {
      const signals = [signal ?? [], deadlineMs === undefined ? [] : AbortSignal.timeout(deadlineMs)].flat()
      return await piscina.run(task, { transferList: [...transfer], ...(signals.length > 0 && { signal: AbortSignal.any(signals) }) })
    },
    close: () => piscina.destroy(),
  }
}
