import type { CarriedError } from './carried-error.ts'

/** What a thread is started with. */
export interface WorkerSettings {
  /** The address of the task module. */
  readonly module: string
  /** For the module's `start`. */
  readonly context: unknown
}

/** To the thread, one task at a time. */
export interface TaskMessage { readonly task: unknown }

/**
 * From the thread: it is ready for its first task, it could not start, or the outcome of its task with the bytes of
 * heap that it holds since.
 */
export type WorkerMessage =
  | { readonly ready: true }
  | { readonly startError: CarriedError }
  | { readonly result: unknown, readonly heapBytes: number }
  | { readonly error: CarriedError, readonly heapBytes: number }

/** What a task module exports. */
export interface TaskModule {
  /** Does a task. */
  readonly default: (task: unknown) => unknown
  /** Called once, before any task. */
  readonly start?: (context: unknown) => void | Promise<void>
  /**
   * Describes, as plain data, an error that the caller must tell from others; `PoolOptions.revive` makes the error
   * again from it. Returns undefined for any other error.
   */
  readonly describeError?: (error: unknown) => unknown
}

/** A task's result whose buffers are handed over to the caller instead of copied. */
export class Moved {
  readonly value: unknown
  readonly transfer: readonly ArrayBuffer[]

  constructor (value: unknown, transfer: readonly ArrayBuffer[]) {
    this.value = value
    this.transfer = transfer
  }
}
