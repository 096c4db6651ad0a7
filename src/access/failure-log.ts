import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'

/** A failed call, as the log can show it. Only the room's name comes from a client. */
export interface Failure {
  readonly cause: string
  readonly call: 'document' | 'user'
  readonly room: string
  readonly status?: number | undefined
  readonly code?: string | undefined
  /** The target of a redirect, without its query. */
  readonly location?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/**
 * Logs why the backend gave no answer: the first failure of each cause as a warning, its repetitions as debug and then
 * as a count. An unavailable backend fails thousands of questions alike.
 */
export class FailureLog {
  readonly #logger: Logger
  readonly #repetitions: Repetitions

  constructor (logger: Logger, now: () => number) {
    this.#logger = logger
    this.#repetitions = new Repetitions(now)
  }

  /** Logs one failure. */
  report (failure: Failure, message: string): void {
    const news = this.#repetitions.next(`${failure.call} ${failure.cause} ${failure.status ?? ''} ${failure.code ?? ''}`)
    if (news === undefined) this.#logger.debug(failure, message)
    else this.#logger.warn({ ...failure, ...news }, message)
  }
}
