import { Worker } from 'node:worker_threads'
import type { CarriedError, TaskMessage, WorkerMessage, WorkerSettings } from './messages.ts'
import { PoolMemory, WorkerDied } from './pool-errors.ts'
import { siblingModule } from './sibling-module.ts'

export interface PooledWorkerOptions extends WorkerSettings {
  memoryMb: number
  youngMemoryMb?: number | undefined
  revive: (error: CarriedError) => Error
}

/** One thread. Does one task at a time; whoever owns it sees to that. Once it has died it stays dead. */
export class PooledWorker {
  /** Resolves when the thread can take a task, rejects when it cannot start. */
  readonly ready: Promise<void>
  /** Resolves when the thread is gone, for whatever reason. */
  readonly gone: Promise<void>
  readonly #thread: Worker
  readonly #revive: PooledWorkerOptions['revive']
  #started: { resolve: () => void, reject: (error: Error) => void } | undefined
  #pending: { resolve: (value: unknown) => void, reject: (error: Error) => void } | undefined
  #failure: Error | undefined
  #alive = true
  #heapBytes = 0

  constructor ({ memoryMb, youngMemoryMb, revive, module, context }: PooledWorkerOptions) {
    this.#revive = revive
    const source = import.meta.url.endsWith('.ts')
    const settings: WorkerSettings = { module, context }
    this.#thread = new Worker(source ? new URL('./typescript-thread.mjs', import.meta.url) : siblingModule(import.meta.url, 'task-thread'), {
      workerData: settings,
      // A task needs nothing of the process's arguments and nothing of its environment, where the secrets are.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: memoryMb, ...youngMemoryMb === undefined ? {} : { maxYoungGenerationSizeMb: youngMemoryMb } },
    })
    this.ready = new Promise((resolve, reject) => { this.#started = { resolve, reject } })
    // Whoever awaits it learns of the failure; until then it is no unhandled one.
    this.ready.catch(() => undefined)
    this.gone = new Promise((resolve) => {
      this.#thread.once('exit', () => {
        this.#end()
        resolve()
      })
    })
    this.#thread.on('message', (message: WorkerMessage) => this.#message(message))
    this.#thread.on('error', (error: Error) => {
      const outOfMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
      this.#failure = outOfMemory ? new PoolMemory('The task needs more memory than a worker may have') : error
    })
  }

  get alive (): boolean {
    return this.#alive
  }

  /** Bytes of heap that the thread held after its last task. */
  get heapBytes (): number {
    return this.#heapBytes
  }

  /** @throws what the task threw, or WorkerDied or PoolMemory when the thread ends before it is done */
  perform (task: unknown, transfer: readonly ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const message: TaskMessage = { task }
      this.#thread.postMessage(message, [...transfer])
      this.#pending = { resolve, reject }
      this.#thread.ref()
    })
  }

  /** Ends the thread at once, also in the middle of a task. */
  async terminate (): Promise<void> {
    this.#alive = false
    await this.#thread.terminate()
  }

  #message (message: WorkerMessage): void {
    // An idle pool does not keep the process alive.
    this.#thread.unref()
    if ('ready' in message) return this.#started?.resolve()
    this.#heapBytes = message.heapBytes
    const pending = this.#pending
    this.#pending = undefined
    if ('error' in message) pending?.reject(this.#revive(message.error))
    else pending?.resolve(message.result)
  }

  #end (): void {
    this.#alive = false
    this.#started?.reject(this.#failure ?? new WorkerDied('The worker ended before it was ready'))
    const died = new WorkerDied('The worker ended in the middle of a task', { cause: this.#failure })
    this.#pending?.reject(this.#failure instanceof PoolMemory ? this.#failure : died)
    this.#pending = undefined
  }
}
