import type { Logger } from './logger.ts'
import { Repetitions } from './repetitions.ts'

/** Why something failed, in one line without a stack; `code` is that of Node or PostgreSQL. */
export interface Cause {
  readonly cause: string
  readonly code?: string
}

/** Of an error that comes from outside the program, such as a server that is down. */
export function causeOf (error: unknown): Cause {
  if (!(error instanceof Error)) return { cause: String(error) }
  const { code } = error as NodeJS.ErrnoException // Node's and pg's errors have one
  // Node gives an empty message where several addresses of a host have failed.
  return { cause: error.message || code || error.name, ...(code !== undefined && { code: String(code) }) }
}

/** Logs failures that come in thousands while a server is down: the same event with the same cause is one line in 10 s. */
export class OutageLog {
  readonly #logger: Logger
  readonly #repetitions: Repetitions

  /** @param now engine time in ms */
  constructor (logger: Logger, now: () => number) {
    this.#logger = logger
    this.#repetitions = new Repetitions(now)
  }

  /** @param details of the first of them, such as the room */
  report (level: 'warn' | 'error', event: string, error: unknown, details: object = {}): void {
    const cause = causeOf(error)
    // Never by the message: it may differ each time, and kinds are kept.
    const news = this.#repetitions.next(`${event} ${cause.code ?? (error instanceof Error ? error.name : '')}`)
    if (news !== undefined) this.#logger[level]({ ...details, ...cause, ...news }, event)
  }
}
