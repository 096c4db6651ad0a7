import type { Logger } from './logger.ts'
import { refusalRules, type RefusalRule } from './refusal-rules.ts'
import { Repetitions } from './repetitions.ts'

/** A kind of credentials. Only the kind is logged, never the content. */
export type Credential = 'authorization' | 'cookie' | 'ticket'

/** A refused client, as its request describes it. */
export interface Requester {
  readonly address: string
  /** The `Origin` header; undefined: the request has none. */
  readonly origin: string | undefined
  /** The kinds that were sent, valid or not. */
  readonly credentials: readonly Credential[]
}

/** A refusal as the client receives it. */
export interface Refusal {
  /** undefined: a close that is no refusal, such as that of a restart. */
  readonly rule?: RefusalRule
  readonly code: number
  readonly reason: string
}

/** The room and user of a refusal; undefined: unknown. */
export interface Subject {
  readonly room?: string | undefined
  readonly user?: string | undefined
}

/** The options of `Refusals`. */
export interface RefusalsOptions {
  readonly allowedOrigins: readonly string[]
  readonly logger: Logger
  /** Engine time in ms. */
  now (): number
}

/** Counts refusals and logs them, so that an operator can see why a client was refused. */
export class Refusals {
  /** Refusals so far, by rule. */
  readonly counts = new Map<string, number>(Object.keys(refusalRules).map((rule) => [rule, 0]))
  readonly #options: RefusalsOptions
  readonly #repetitions: Repetitions

  constructor (options: RefusalsOptions) {
    this.#options = options
    this.#repetitions = new Repetitions(options.now)
  }

  /** Logs at most one line in 10 s for each rule and address; the next line has the number of suppressed ones. */
  report ({ rule, code, reason }: Refusal, { address, origin, credentials }: Requester, { room, user }: Subject): void {
    if (rule === undefined) return
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1)
    const news = this.#repetitions.next(`${rule} ${address}`)
    if (news === undefined) return
    const { allowedOrigins, logger } = this.#options
    const details = { rule, code, reason, room, user, origin, allowed: allowedOrigins, credentials }
    logger.warn({ ...details, remoteAddress: address, ...news }, 'Refused a client')
  }
}
