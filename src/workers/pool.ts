import { PoolBusy, PoolClosed, PoolDeadline, WorkerDied } from './pool-errors.ts'
import type { PoolOptions, PoolStats, RunOptions } from './pool-options.ts'
import { PooledWorker } from './pooled-worker.ts'
import { type QueuedTask, TaskQueue } from './task-queue.ts'

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

/** Opens a pool and, if it is eager, starts its first thread. @throws what the task module threw when it was loaded */
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
   * @param T what the task module returns for this task; the pool does not check it
   * @throws PoolBusy, PoolDeadline, PoolMemory, WorkerDied, PoolClosed, the signal's reason, or what the task threw
   */
  run<T> (task: unknown, options: RunOptions = {}): Promise<T> {
    const { signal, deadlineMs = 0, workMs = 0, transfer = [], key, bytes = 0 } = options
    if (this.#closed) return Promise.reject(new PoolClosed('The pool is closed'))
    if (signal?.aborted === true) return Promise.reject(reasonOf(signal))
    return new Promise<T>((resolve, reject) => {
      const job: Job = {
        task,
        transfer,
        key,
        bytes,
        workMs,
        attempts: 0,
        settled: false,
        resolve: resolve as (value: unknown) => void, // the caller says what the module returns
        reject,
      }
      if (signal !== undefined) this.#abandonOnAbort(job, signal)
      this.#limit(job, deadlineMs)
      this.#queue.add(job, performance.now())
      this.#next()
      this.#rejectLast()
    })
  }

  /** The state and the counts of the pool at this moment. */
  stats (): PoolStats {
    const threads = this.#workers.size
    return {
      threads,
      busy: threads - this.#idle.length - this.#starting,
      queued: this.#queue.length,
      queuedBytes: this.#queue.bytes,
      ...this.#counts,
    }
  }

  /** Rejects the tasks that wait or are in progress, and ends the threads. */
  async close (): Promise<void> {
    this.#closed = true
    for (let job = this.#queue.takeFirst(); job !== undefined; job = this.#queue.takeFirst()) {
      this.#settle(job, new PoolClosed('The pool is closed'))
    }
    for (const timer of this.#idleTimers.values()) clearTimeout(timer)
    await Promise.all([...this.#workers].map((worker) => worker.terminate()))
  }

  #spawn (): PooledWorker {
    const { module, context, memoryMb, youngMemoryMb, revive } = this.#options
    const worker = new PooledWorker({ module: module.href, context, memoryMb, youngMemoryMb, revive })
    this.#workers.add(worker)
    this.#starting++
    const started = () => { this.#starting-- }
    worker.ready.then(started, started)
    worker.ended.then(() => this.#lost(worker), () => undefined)
    return worker
  }

  /** Gives waiting jobs to idle workers, and starts a worker if more jobs wait than workers are starting. */
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

  /**
   * Keeps the queue within its bounds. It rejects the job that would be done last, so that large tasks do not displace
   * small ones.
   */
  #rejectLast (): void {
    const { maxQueue, maxQueuedBytes = Infinity } = this.#options
    const isFull = () => {
      // A thread that is starting takes one of the jobs that wait.
      const isLong = this.#queue.length > maxQueue + this.#starting
      return isLong || (this.#queue.length > 1 && this.#queue.bytes > maxQueuedBytes)
    }
    while (isFull()) {
      const job = this.#queue.takeLast()
      if (job !== undefined) this.#settle(job, new PoolBusy('Too many tasks are waiting'))
    }
  }

  /** Ends the job after this time, in place of an earlier limit. */
  #limit (job: Job, ms: number): void {
    clearTimeout(job.timer)
    if (ms > 0) job.timer = setTimeout(() => this.#abandon(job, new PoolDeadline('The task took too long'), 0), ms)
  }

  #abandonOnAbort (job: Job, signal: AbortSignal): void {
    const { resolve, reject } = job
    const onAbort = () => this.#abandon(job, reasonOf(signal), this.#options.graceMs ?? 100)
    signal.addEventListener('abort', onAbort, { once: true })
    job.resolve = (value) => {
      signal.removeEventListener('abort', onAbort)
      resolve(value)
    }
    job.reject = (error) => {
      signal.removeEventListener('abort', onAbort)
      reject(error)
    }
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
        if (error instanceof WorkerDied && this.#retry(job)) return
        this.#settle(job, this.#closed ? new PoolClosed('The pool is closed') : toError(error))
        if (worker.alive) this.#release(worker)
      }
    ).catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'Failed to hand over the outcome of a task'))
  }

  /** Puts the job of a dead worker back to its place in the queue. @returns false if the job cannot be retried */
  #retry (job: Job): boolean {
    const isFinal = job.transfer.length > 0 || job.attempts > (this.#options.retry ?? 0)
    if (job.settled || this.#closed || isFinal) return false
    this.#options.logger?.warn({ attempts: job.attempts }, 'A worker thread died during a task; retrying')
    // If the job is abandoned now, it is one that waits.
    delete job.worker
    this.#queue.add(job, performance.now())
    this.#next()
    return true
  }

  /** Ends a job from outside. Its worker is replaced unless it finishes the task within `graceMs`. */
  #abandon (job: Job, reason: Error, graceMs: number): void {
    if (job.settled) return
    const { worker } = job
    this.#settle(job, reason)
    if (this.#queue.remove(job) || worker === undefined) return
    const end = () => {
      if (!worker.alive || this.#idle.includes(worker) || job.worker !== worker) return
      this.#options.logger?.warn({ reason: reason.name }, 'Replacing a worker thread')
      this.#terminate(worker)
    }
    if (graceMs === 0) return end()
    job.timer = setTimeout(end, graceMs).unref()
  }

  #settle (job: Job, error: Error | undefined, value?: unknown): void {
    clearTimeout(job.timer)
    if (job.settled) {
      // The worker has finished an abandoned task by itself.
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

  /**
   * Retires the worker when it has had no work for long enough.
   * @param since when it last had work, as `performance.now`
   */
  #retireLater (worker: PooledWorker, since: number): void {
    const idleMs = this.#options.idleMs?.(worker.heapBytes, this.#workers.size - 1) ?? 0
    clearTimeout(this.#idleTimers.get(worker))
    if (idleMs === 0 || this.#workers.size <= this.#fewest) return
    const left = since + idleMs - performance.now()
    if (left <= 0) return this.#retire(worker)
    // Other threads may have ended by then, so this one can stay longer.
    this.#idleTimers.set(worker, setTimeout(() => this.#retireLater(worker, since), Math.max(1, left)).unref())
  }

  /** The number of threads that stay without work. */
  get #fewest (): number { return this.#options.eager === false ? 0 : 1 }

  #retire (worker: PooledWorker): void {
    const index = this.#idle.indexOf(worker)
    if (index === -1 || this.#workers.size <= this.#fewest) return
    this.#idle.splice(index, 1)
    this.#workers.delete(worker)
    this.#terminate(worker)
  }

  #terminate (worker: PooledWorker): void {
    worker.terminate().catch((error: unknown) => this.#options.logger?.warn({ err: error }, 'Failed to terminate a worker thread'))
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

  /** A worker that does not start fails the first waiting job, so that a broken module causes no endless loop. */
  #failStart (error: unknown): void {
    const job = this.#queue.takeFirst()
    if (job !== undefined) this.#settle(job, new WorkerDied('A worker thread failed to start', { cause: error }))
    this.#next()
  }
}

function toError (error: unknown): Error {
  return error instanceof Error ? error : new Error('The task failed', { cause: error })
}

function reasonOf (signal: AbortSignal): Error {
  return toError(signal.reason)
}
