import type { Logger } from './logger.ts'
import { Repetitions } from './repetitions.ts'

/** The cause of a failure in one line, without a stack; `code` is that of Node or PostgreSQL. */
export interface Cause {
  readonly cause: string
  readonly code?: string
}

/** The cause of an error from outside the program, such as a server that is down. */
export function causeOf (error: unknown): Cause {
  if (!(error instanceof Error)) return { cause: String(error) }
  const { code } = error as NodeJS.ErrnoException // errors of Node and pg have one
  // Node's message is empty if several addresses of a host failed.
  return { cause: error.message || code || error.name, ...(code !== undefined && { code: String(code) }) }
}

/** Logs failures that come in thousands while a server is down: an event with the same cause once in 10 s. */
export class OutageLog {
  readonly #logger: Logger
  readonly #repetitions: Repetitions

  /** @param now engine time in ms */
  constructor (logger: Logger, now: () => number) {
    this.#logger = logger
    this.#repetitions = new Repetitions(now)
  }

  /** Logs a failure, unless it repeats a recent one. @param details of this failure, such as the room */
  report (level: 'warn' | 'error', event: string, error: unknown, details: object = {}): void {
    const cause = causeOf(error)
    // Not by the message, which can differ each time: kinds are kept in memory.
    const news = this.#repetitions.next(`${event} ${cause.code ?? (error instanceof Error ? error.name : '')}`)
    if (news !== undefined) this.#logger[level]({ ...details, ...cause, ...news }, event)
  }
}
