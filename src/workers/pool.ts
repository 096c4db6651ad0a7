import type { CarriedError } from './messages.ts'
import { PoolBusy, PoolClosed, PoolDeadline, WorkerDied } from './pool-errors.ts'
import { PooledWorker } from './pooled-worker.ts'
import { type QueuedTask, TaskQueue } from './task-queue.ts'

export interface PoolOptions {
  /** The task module, see `TaskModule`: its default export takes a task and gives a result, both as structured clone copies them. */
  module: URL
  /** Given to the module's `start`. */
  context?: unknown
  /** The most threads at work. They start as they are needed. */
  threads: number
  /** The most tasks that wait for a thread; 0: none waits. The last in the queue is refused. */
  maxQueue: number
  /** The most bytes that wait for a thread (`RunOptions.bytes`), unless one task alone has more; absent: no limit. */
  maxQueuedBytes?: number
  /** Heap of one thread. A task that needs more ends with PoolMemory. */
  memoryMb: number
  /** Of that, what V8 fills with new objects before it looks for those still in use; absent: 48. */
  youngMemoryMb?: number
  /** How often a task is given to another worker when its own dies. Not for tasks whose buffers were handed over. */
  retry?: 0 | 1
  /** Whether the first thread starts with the pool (the default), so that a module that cannot be loaded is known at once, or with the first task. */
  eager?: boolean
  /**
   * How long a thread stays without work, by the bytes of heap that it keeps, which go with it, and by how many other threads there are.
   * 0, and where this is not given: for ever. The last thread stays, where the pool is eager.
   */
  idleMs?: (heapBytes: number, others: number) => number
  /** How long an abandoned task may still run before its thread is replaced, which costs more than to let a short one end. */
  graceMs?: number
  /** Makes an error of the task's own class from what crossed the thread. */
  revive?: (error: CarriedError) => Error | undefined
  logger?: { warn: (details: object, message: string) => void }
}

export interface RunOptions {
  /** Ends the wait; a task in progress is abandoned. */
  signal?: AbortSignal | undefined
  /** From the call to the result, time in the queue included; 0 or absent: no limit. */
  deadlineMs?: number
  /** From when a thread begins the task, in place of `deadlineMs`, which then bounds the wait alone; 0 or absent: no limit of its own. */
  workMs?: number
  /** Buffers that the worker takes over. */
  transfer?: readonly ArrayBuffer[]
  /** Tasks of different keys take turns, see `TaskQueue`. */
  key?: string
  /** What the task holds in memory and its thread must read: small tasks go first. */
  bytes?: number
}

export interface PoolStats {
  threads: number
  busy: number
  queued: number
  queuedBytes: number
  completed: number
  failed: number
  replaced: number
  /** ms that threads have spent on tasks that are done or were given up */
  busyMs: number
}

interface Job extends QueuedTask {
  task: unknown
  transfer: readonly ArrayBuffer[]
  workMs: number
  attempts: number
  settled: boolean
  worker?: PooledWorker
  timer?: NodeJS.Timeout
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

/** Opens a pool and, unless it is told not to, starts its first thread. @throws what the task module threw when it was loaded */
export async function openPool (options: PoolOptions): Promise<Pool> {
  const pool = new Pool(options)
  if (options.eager !== false) await pool.start()
  return pool
}

/** Threads that do tasks in the order of a `TaskQueue`, each thread one at a time. */
export class Pool {
  readonly #options: PoolOptions
  readonly #workers = new Set<PooledWorker>()
  readonly #idle: PooledWorker[] = []
  #starting = 0
  readonly #queue = new TaskQueue<Job>()
  #closed = false
  readonly #counts = { completed: 0, failed: 0, replaced: 0, busyMs: 0 }
  readonly #idleTimers = new Map<PooledWorker, NodeJS.Timeout>()

  constructor (options: PoolOptions) {
    this.#options = options
  }

  /** Starts the first thread. Called once, by `openPool`. */
  async start (): Promise<void> {
    const worker = this.#spawn()
    await worker.ready
    this.#release(worker)
  }

  /**
   * Does a task.
   * @param T what the task module gives for this task; the pool does not check it
   * @throws PoolBusy, PoolDeadline, PoolMemory, WorkerDied, PoolClosed, the signal's reason, or what the task threw
   */
  run<T> (task: unknown, { signal, deadlineMs = 0, workMs = 0, transfer = [], key, bytes = 0 }: RunOptions = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new PoolClosed('The pool is closed'))
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
    return new Promise<T>((resolve, reject) => {
      // The module's result is what the caller says it is.
      const job: Job = { task, transfer, key, bytes, workMs, attempts: 0, settled: false, resolve: resolve as (value: unknown) => void, reject }
      const onAbort = () => { if (signal !== undefined) this.#abandon(job, reasonOf(signal), this.#options.graceMs ?? 100) }
      if (signal !== undefined) {
        signal.addEventListener('abort', onAbort, { once: true })
        job.resolve = (value) => { signal.removeEventListener('abort', onAbort); (resolve as (value: unknown) => void)(value) }
        job.reject = (error) => { signal.removeEventListener('abort', onAbort); reject(error) }
      }
      this.#limit(job, deadlineMs)
      this.#queue.add(job, performance.now())
      this.#next()
      this.#refuseLast()
    })
  }

  stats (): PoolStats {
    const threads = this.#workers.size
    return { threads, busy: threads - this.#idle.length - this.#starting, queued: this.#queue.length, queuedBytes: this.#queue.bytes, ...this.#counts }
  }

  /** Refuses what waits and what is in progress, and ends the threads. */
  async close (): Promise<void> {
    this.#closed = true
    for (let job = this.#queue.takeFirst(); job !== undefined; job = this.#queue.takeFirst()) this.#settle(job, new PoolClosed('The pool is closed'))
    for (const timer of this.#idleTimers.values()) clearTimeout(timer)
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #spawn (): PooledWorker {
    const { module, context, memoryMb, youngMemoryMb, revive } = this.#options
    const worker = new PooledWorker({ module: module.href, context, memoryMb, youngMemoryMb, revive: (error) => revive?.(error) ?? plainError(error) })
    this.#workers.add(worker)
    this.#starting++
    const started = () => { this.#starting-- }
    worker.ready.then(started, started)
    worker.gone.then(() => this.#lost(worker), () => undefined)
    return worker
  }

  /** Gives waiting jobs to idle workers, and starts a worker where there are more jobs than workers on the way. */
  #next (): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop()
      if (worker === undefined) break
      const job = this.#queue.takeFirst()
      if (job !== undefined) this.#assign(job, worker)
    }
    if (this.#queue.length > this.#starting && this.#workers.size < this.#options.threads && !this.#closed) {
      const worker = this.#spawn()
      worker.ready.then(() => this.#release(worker), (error: unknown) => this.#failStart(error))
    }
  }

  /** Keeps the queue within its bounds. What would be done last goes, so large tasks do not turn small ones away. */
  #refuseLast (): void {
    const { maxQueue, maxQueuedBytes = Infinity } = this.#options
    // A thread that is being started takes one of those that wait.
    while (this.#queue.length > maxQueue + this.#starting || (this.#queue.length > 1 && this.#queue.bytes > maxQueuedBytes)) {
      const job = this.#queue.takeLast()
      if (job !== undefined) this.#settle(job, new PoolBusy('Too many tasks are waiting'))
    }
  }

  /** Ends the job after so long from now, in place of an earlier limit. */
  #limit (job: Job, ms: number): void {
    clearTimeout(job.timer)
    if (ms > 0) job.timer = setTimeout(() => this.#abandon(job, new PoolDeadline('The task took too long'), 0), ms)
  }

  #assign (job: Job, worker: PooledWorker): void {
    job.worker = worker
    job.attempts++
    if (job.workMs > 0) this.#limit(job, job.workMs)
    clearTimeout(this.#idleTimers.get(worker))
    const startedAt = performance.now()
    let done: Promise<unknown>
    try {
      done = worker.perform(job.task, job.transfer)
    } catch (error) {
      done = Promise.reject(error)
    }
    done.finally(() => { this.#counts.busyMs += performance.now() - startedAt }).then(
      (value) => {
        this.#settle(job, undefined, value)
        this.#release(worker)
      },
      (error: unknown) => {
        if (error instanceof WorkerDied && this.#again(job)) return
        this.#settle(job, this.#closed ? new PoolClosed('The pool is closed') : toError(error))
        if (worker.alive) this.#release(worker)
      }
    ).catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'A task\'s outcome could not be handed over'))
  }

  /** Puts the job of a dead worker back to its place in the queue, if it may be tried again. */
  #again (job: Job): boolean {
    if (job.settled || this.#closed || job.transfer.length > 0 || job.attempts > (this.#options.retry ?? 0)) return false
    this.#options.logger?.warn({ attempts: job.attempts }, 'A worker ended in the middle of a task, which is tried again')
    // Who abandons it now abandons one that waits.
    delete job.worker
    this.#queue.add(job, performance.now())
    this.#next()
    return true
  }

  /** Ends a job from outside. Its worker is replaced unless it comes to an end in the time of grace. */
  #abandon (job: Job, reason: Error, graceMs: number): void {
    if (job.settled) return
    const { worker } = job
    this.#settle(job, reason)
    if (this.#queue.remove(job) || worker === undefined) return
    const end = () => {
      if (!worker.alive || this.#idle.includes(worker) || job.worker !== worker) return
      this.#options.logger?.warn({ reason: reason.name }, 'A worker is replaced')
      worker.terminate().catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'A worker did not end'))
    }
    if (graceMs === 0) return end()
    const timer = setTimeout(end, graceMs).unref()
    job.timer = timer
  }

  #settle (job: Job, error: Error | undefined, value?: unknown): void {
    clearTimeout(job.timer)
    if (job.settled) {
      // The worker has come to the end of an abandoned task by itself.
      delete job.worker
      return
    }
    job.settled = true
    if (error === undefined) {
      this.#counts.completed++
      job.resolve(value)
    } else {
      this.#counts.failed++
      job.reject(error)
    }
  }

  #release (worker: PooledWorker): void {
    if (!worker.alive || this.#closed) return
    this.#idle.push(worker)
    this.#next()
    if (this.#idle.includes(worker)) this.#retireLater(worker, performance.now())
  }

  /** @param since when it was last at work, in ms as `performance.now` */
  #retireLater (worker: PooledWorker, since: number): void {
    const idleMs = this.#options.idleMs?.(worker.heapBytes, this.#workers.size - 1) ?? 0
    clearTimeout(this.#idleTimers.get(worker))
    if (idleMs === 0 || this.#workers.size <= this.#fewest) return
    const left = since + idleMs - performance.now()
    if (left <= 0) return this.#retire(worker)
    // Others may have ended by then, and it may stay for longer.
    this.#idleTimers.set(worker, setTimeout(() => this.#retireLater(worker, since), Math.max(1, left)).unref())
  }

  /** How many threads stay without work. */
  get #fewest (): number { return this.#options.eager === false ? 0 : 1 }

  #retire (worker: PooledWorker): void {
    const index = this.#idle.indexOf(worker)
    if (index === -1 || this.#workers.size <= this.#fewest) return
    this.#idle.splice(index, 1)
    this.#workers.delete(worker)
    worker.terminate().catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'A worker did not end'))
  }

  #lost (worker: PooledWorker): void {
    const lost = this.#workers.delete(worker)
    clearTimeout(this.#idleTimers.get(worker))
    this.#idleTimers.delete(worker)
    const index = this.#idle.indexOf(worker)
    if (index !== -1) this.#idle.splice(index, 1)
    if (this.#closed || !lost) return
    this.#counts.replaced++
    this.#next()
  }

  /** A worker that does not start fails the job it was started for, so that a broken module is no endless loop. */
  #failStart (error: unknown): void {
    const job = this.#queue.takeFirst()
    if (job !== undefined) this.#settle(job, new WorkerDied('A worker could not be started', { cause: error }))
    this.#next()
  }
}

function plainError ({ name, message, code, stack }: CarriedError): Error {
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}

function toError (error: unknown): Error {
  return error instanceof Error ? error : new Error('The task failed', { cause: error })
}

function reasonOf (signal: AbortSignal): Error {
  return toError(signal.reason)
}
