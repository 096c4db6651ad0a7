/** The queue is full: the caller can retry later. */
export class PoolBusy extends Error {
  override readonly name = 'PoolBusy'
  readonly code = 'POOL_BUSY'
}

/** The task missed its deadline. If a thread was at work on it, that thread has been replaced. */
export class PoolDeadline extends Error {
  override readonly name = 'PoolDeadline'
  readonly code = 'POOL_DEADLINE'
}

/** The task needed more memory than a thread has. */
export class PoolMemory extends Error {
  override readonly name = 'PoolMemory'
  readonly code = 'POOL_MEMORY'
}

/** The thread ended during the task, and so did its successor if the pool retries. */
export class WorkerDied extends Error {
  override readonly name = 'WorkerDied'
  readonly code = 'WORKER_DIED'
}

/** The pool is closed or closing. */
export class PoolClosed extends Error {
  override readonly name = 'PoolClosed'
  readonly code = 'POOL_CLOSED'
}

/** A limit of a pool that makes it reject a task. */
type PoolLimit = 'busy' | 'deadline' | 'memory'

/** The limit that made the pool reject a task; undefined for any other error. */
export function limitOf (error: unknown): PoolLimit | undefined {
  if (error instanceof PoolBusy) return 'busy'
  if (error instanceof PoolDeadline) return 'deadline'
  return error instanceof PoolMemory ? 'memory' : undefined
}
