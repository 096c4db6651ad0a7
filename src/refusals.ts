import type { Logger } from './logger.ts'
import { refusalRules, type RefusalRule } from './refusal-rules.ts'
import { Repetitions } from './repetitions.ts'

/** A kind of credentials. What is in them never goes anywhere. */
export type Credential = 'authorization' | 'cookie' | 'ticket'

/** The client that is refused, as far as its request describes it. */
export interface Requester {
  readonly address: string
  /** The `Origin` header; undefined where none came */
  readonly origin: string | undefined
  /** The kinds that were present, good or bad */
  readonly credentials: readonly Credential[]
}

/** What was refused, and what the client is sent. */
export interface Refusal {
  /** undefined: a close that refuses nobody, such as that of a restart */
  readonly rule?: RefusalRule
  readonly code: number
  readonly reason: string
}

/** What a refusal was about; undefined where that is not known. */
export interface Subject {
  readonly room?: string | undefined
  readonly user?: string | undefined
}

export interface RefusalsOptions {
  readonly allowedOrigins: readonly string[]
  readonly logger: Logger
  /** Engine time in ms */
  now (): number
}

/** Counts every refusal and logs it, so that an operator can tell why a client was turned away. */
export class Refusals {
  /** Refusals so far, by rule */
  readonly counts = new Map<string, number>(Object.keys(refusalRules).map((rule) => [rule, 0]))
  readonly #options: RefusalsOptions
  readonly #repetitions: Repetitions

  constructor (options: RefusalsOptions) {
    this.#options = options
    this.#repetitions = new Repetitions(options.now)
  }

  /** Logs one line for each rule and address in 10 s; the next one has the number of those in between. */
  report ({ rule, code, reason }: Refusal, { address, origin, credentials }: Requester, { room, user }: Subject): void {
    if (rule === undefined) return
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1)
    const news = this.#repetitions.next(`${rule} ${address}`)
    if (news === undefined) return
    const { allowedOrigins, logger } = this.#options
    logger.warn({ rule, code, reason, room, user, origin, allowed: allowedOrigins, credentials, remoteAddress: address, ...news }, 'Refused a client')
  }
}
