import { Worker } from 'node:worker_threads'
import { reviveError } from './carried-error.ts'
import type { TaskMessage, WorkerMessage, WorkerSettings } from './messages.ts'
import { PoolMemory, WorkerDied } from './pool-errors.ts'
import { siblingModule } from './sibling-module.ts'

/** What a thread is started with, and its limits. */
interface PooledWorkerOptions extends WorkerSettings {
  /** See `PoolOptions`. */
  readonly memoryMb: number
  readonly youngMemoryMb?: number | undefined
  readonly revive?: ((description: unknown) => Error) | undefined
}

/** One thread. It does one task at a time, as its owner ensures. It is never restarted. */
export class PooledWorker {
  /** Resolves when the thread can take a task, rejects when it cannot start. */
  readonly ready: Promise<void>
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>
  readonly #thread: Worker
  readonly #revive: PooledWorkerOptions['revive']
  #started: { resolve: () => void, reject: (error: Error) => void } | undefined
  #pending: { resolve: (value: unknown) => void, reject: (error: Error) => void } | undefined
  #failure: Error | undefined
  #alive = true
  #heapBytes = 0

  constructor ({ memoryMb, youngMemoryMb, revive, module, context }: PooledWorkerOptions) {
    this.#revive = revive
    const isSource = import.meta.url.endsWith('.ts')
    const entry = isSource ? new URL('./typescript-thread.mjs', import.meta.url) : siblingModule(import.meta.url, 'task-thread')
    const settings: WorkerSettings = { module, context }
    const youngLimit = youngMemoryMb === undefined ? {} : { maxYoungGenerationSizeMb: youngMemoryMb }
    this.#thread = new Worker(entry, {
      workerData: settings,
      // A task needs neither the process's arguments nor its environment, which holds the secrets.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, ...youngLimit },
    })
    this.ready = new Promise((resolve, reject) => { this.#started = { resolve, reject } })
    // A failure before anybody awaits `ready` must not count as unhandled.
    this.ready.catch(() => undefined)
    this.ended = new Promise((resolve) => {
      this.#thread.once('exit', () => {
        this.#end()
        resolve()
      })
    })
    this.#thread.on('message', (message: WorkerMessage) => this.#message(message))
    this.#thread.on('error', (error: Error) => {
      const isOutOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      this.#failure = isOutOfMemory ? new PoolMemory('The task needs more memory than a thread has') : error
    })
  }

  /** Whether it can still do tasks. */
  get alive (): boolean {
    return this.#alive
  }

  /** Bytes of heap that the thread held after its last task. */
  get heapBytes (): number {
    return this.#heapBytes
  }

  /** Does a task. @throws what the task threw, or WorkerDied or PoolMemory if the thread ends during the task */
  perform (task: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const message: TaskMessage = { task }
      this.#thread.postMessage(message, [...transfer])
      this.#pending = { resolve, reject }
      this.#thread.ref()
    })
  }

  /** Ends the thread at once, also during a task. */
  async terminate (): Promise<void> {
    this.#alive = false
    await this.#thread.terminate()
  }

  #message (message: WorkerMessage): void {
    // An idle thread does not keep the process alive.
    this.#thread.unref()
    if ('ready' in message) this.#started?.resolve()
    else if ('startError' in message) this.#failStart(reviveError(message.startError, this.#revive))
    else this.#finish(message)
  }

  /** `ready` rejects when the thread has ended, which timers of its module could delay forever. */
  #failStart (error: Error): void {
    this.#failure = error
    this.terminate().catch(() => undefined)
  }

  #finish (message: Extract<WorkerMessage, { heapBytes: number }>): void {
    this.#heapBytes = message.heapBytes
    const pending = this.#pending
    this.#pending = undefined
    if ('error' in message) pending?.reject(reviveError(message.error, this.#revive))
    else pending?.resolve(message.result)
  }

  #end (): void {
    this.#alive = false
    this.#started?.reject(this.#failure ?? new WorkerDied('The thread ended before it was ready'))
    const died = new WorkerDied('The thread ended during a task', { cause: this.#failure })
    this.#pending?.reject(this.#failure instanceof PoolMemory ? this.#failure : died)
    this.#pending = undefined
  }
}
