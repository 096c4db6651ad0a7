/** What the thread is started with. */
export interface WorkerSettings {
  /** The module whose default export does the tasks. */
  module: string
  /** Given to the module's `start`, if it has one, before any task. */
  context: unknown
}

/** To the thread. One task at a time. */
export interface TaskMessage { task: unknown }

/** From the thread: ready for its first task, or the outcome of the one it was given and the bytes of heap it holds since. */
export type WorkerMessage =
  | { ready: true }
  | { result: unknown, heapBytes: number }
  | { error: CarriedError, heapBytes: number }

/** What of an error crosses the thread: structured clone alone loses class and code. */
export interface CarriedError { name: string, message: string, code?: string | undefined, stack?: string | undefined }

/** What a task module may export beside its default function. */
export interface TaskModule {
  default: (task: unknown) => unknown
  start?: (context: unknown) => void | Promise<void>
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
