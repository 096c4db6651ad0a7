/** A failure of the pool itself, as opposed to one of the task. */
export class PoolError extends Error {
  override readonly name: string = 'PoolError'
  readonly code: string = 'POOL'
}

/** The queue is full: the caller should come back later. */
export class PoolBusy extends PoolError {
  override readonly name = 'PoolBusy'
  override readonly code = 'POOL_BUSY'
}

/** The task was not done in its time. If it was being worked on, its worker has been replaced. */
export class PoolDeadline extends PoolError {
  override readonly name = 'PoolDeadline'
  override readonly code = 'POOL_DEADLINE'
}

/** The task needed more memory than a worker may have. */
export class PoolMemory extends PoolError {
  override readonly name = 'PoolMemory'
  override readonly code = 'POOL_MEMORY'
}

/** The worker ended in the middle of the task, and so did its successor if the pool tries again. */
export class WorkerDied extends PoolError {
  override readonly name = 'WorkerDied'
  override readonly code = 'WORKER_DIED'
}

/** The pool is closed or closing. */
export class PoolClosed extends PoolError {
  override readonly name = 'PoolClosed'
  override readonly code = 'POOL_CLOSED'
}
