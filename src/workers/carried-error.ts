/** The parts of an error that cross to another thread: structured clone alone would lose its class. */
export interface CarriedError {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
  readonly stack?: string | undefined
  /** From `TaskModule.describeError`. */
  readonly description?: unknown
}

/** Takes an error apart in the thread. @param describe see `TaskModule.describeError` */
export function carryError (error: unknown, describe: ((error: unknown) => unknown) | undefined): CarriedError {
  if (!(error instanceof Error)) return { name: 'Error', message: 'The task failed' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { name: error.name, message: error.message, code, stack: error.stack, description: describe?.(error) }
}

/** Makes the error again outside the thread. @param revive see `PoolOptions.revive` */
export function reviveError (carried: CarriedError, revive: ((description: unknown) => Error) | undefined): Error {
  const { name, message, code, stack, description } = carried
  if (description !== undefined && revive !== undefined) return revive(description)
  const error = new Error(message)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return code === undefined ? error : Object.assign(error, { code })
}
