/** What `openPool` needs. */
export interface PoolOptions {
  /** The task module, see `TaskModule`. Tasks and results cross the thread as structured clone copies them. */
  module: URL
  /** For the module's `start`. */
  context?: unknown
  /** The most threads. They start as they are needed. */
  threads: number
  /** The most tasks that wait for a thread; 0: none waits. Beyond it the last in the queue is rejected. */
  maxQueue: number
  /** The most bytes that wait for a thread (`RunOptions.bytes`), unless one task alone has more; absent: no limit. */
  maxQueuedBytes?: number
  /** MiB of heap for one thread. A task that needs more fails with PoolMemory. */
  memoryMb: number
  /** MiB of that for V8's young generation; absent: 48. */
  youngMemoryMb?: number
  /** How often a task is retried when its thread dies. A task that handed buffers over is not retried. */
  retry?: 0 | 1
  /**
   * Whether the first thread starts with the pool (the default), which shows at once if the module fails to load, or
   * with the first task.
   */
  eager?: boolean
  /**
   * ms that a thread stays without work, by the bytes of heap that it keeps, and by the number of other threads.
   * 0 or absent: no limit. The last thread of an eager pool always stays.
   */
  idleMs?: (heapBytes: number, otherThreads: number) => number
  /**
   * ms that an abandoned task can still run before its thread is replaced, which costs more than letting a short task
   * end.
   */
  graceMs?: number
  /** Makes an error again from the description by the module's `describeError`. */
  revive?: (description: unknown) => Error
  logger?: { warn: (details: object, message: string) => void }
}

/** How one task runs. */
export interface RunOptions {
  /** Ends the wait; a task in progress is abandoned. */
  signal?: AbortSignal | undefined
  /** ms from the call to the result, time in the queue included; 0 or absent: no limit. */
  deadlineMs?: number
  /** ms from the beginning of the work; `deadlineMs` then limits the wait alone; 0 or absent: no limit of its own. */
  workMs?: number
  /** Buffers that the thread takes over. */
  transfer?: readonly ArrayBuffer[]
  /** Tasks of different keys take turns, see `TaskQueue`. */
  key?: string
  /** Bytes that the task holds in memory and its thread must read: small tasks go first. */
  bytes?: number
}

/** The state and the counts of a pool. */
export interface PoolStats {
  threads: number
  busy: number
  queued: number
  queuedBytes: number
  completed: number
  failed: number
  replaced: number
  /** ms that threads have spent on tasks that ended or were abandoned. */
  busyMs: number
}
