import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'

/** What may be said of a failed call. Nothing here comes from a client except the room's name. */
export interface Failure {
  readonly cause: string
  readonly call: 'document' | 'user'
  readonly room: string
  readonly status?: number | undefined
  readonly code?: string | undefined
  /** Where a redirect leads, without its query. */
  readonly location?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/** Logs why the backend gave no answer: the first of each cause as a warning, its repetitions as debug and then as a count. One that is away fails thousands of questions alike. */
export class FailureLog {
  readonly #logger: Logger
  readonly #repetitions: Repetitions

  constructor (logger: Logger, now: () => number) {
    this.#logger = logger
    this.#repetitions = new Repetitions(now)
  }

  report (failure: Failure, message: string): void {
    const news = this.#repetitions.next(`${failure.call} ${failure.cause} ${failure.status ?? ''} ${failure.code ?? ''}`)
    if (news === undefined) this.#logger.debug(failure, message)
    else this.#logger.warn({ ...failure, ...news }, message)
  }
}
