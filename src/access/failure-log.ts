import type { Logger } from '../logger.ts'

/** Ms in which one cause is logged once as a warning: a backend that is away fails thousands of questions alike. */
const QUIET_MS = 10_000

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

/** Logs why the backend gave no answer: the first of each cause as a warning, its repetitions as debug and then as a count. */
export class FailureLog {
  readonly #logger: Logger
  readonly #now: () => number
  readonly #seen = new Map<string, { since: number, suppressed: number }>()

  constructor (logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  report (failure: Failure, message: string): void {
    // Causes, statuses and codes are few, so this map stays small.
    const key = `${failure.call} ${failure.cause} ${failure.status ?? ''} ${failure.code ?? ''}`
    const seen = this.#seen.get(key)
    if (seen !== undefined && this.#now() - seen.since < QUIET_MS) {
      seen.suppressed++
      this.#logger.debug(failure, message)
      return
    }
    this.#logger.warn({ ...failure, ...(seen?.suppressed ? { suppressed: seen.suppressed } : {}) }, message)
    this.#seen.set(key, { since: this.#now(), suppressed: 0 })
  }
}
