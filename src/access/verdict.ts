import type { RefusalRule } from '../logging/refusal-rules.ts'

/** What every way of asking "may this connection open this room?" ends in. */
export type Verdict = Allowed | Denied | Unavailable

/** The connection may open the room. Immutable: askers of the same question share one object. */
export interface Allowed {
  readonly allowed: true
  /** Django's id of the user; undefined for an anonymous visitor. */
  readonly userId?: string | undefined
  readonly canEdit: boolean
  /** Names the browser session in `get-connections`. */
  readonly sessionKey?: string | undefined
  /** When the right ends by itself, ms since the epoch; undefined: never. */
  readonly expiresAt?: number | undefined
  /** The epoch in which the judging began: a reset since then takes the right away; see `Epochs`. */
  readonly epoch: number
  /** Asks again the way this connection came in; undefined where there is nobody to ask (a reverse proxy's word). */
  readonly recheck?: (() => Promise<Verdict>) | undefined
}

/** The connection may not open the room, and asking again would not help: clients stop on these codes. */
export interface Denied {
  readonly allowed: false
  readonly permanent: true
  /**
   * 4001: no credentials, where a cookie could give access; 4401: the ticket is expired or invalid; 4403: this user may
   * not read this document.
   */
  readonly code: 4001 | 4401 | 4403
  readonly rule: RefusalRule
  /** One sentence for people; short enough for a close frame (123 bytes), without anything secret. */
  readonly reason: string
}

/** Nobody could say now: clients try again. */
export interface Unavailable {
  readonly allowed: false
  readonly permanent: false
  readonly code: 4503
  readonly rule: 'unavailable'
  readonly reason: string
  /** How long the backend asked to be left alone, ms. */
  readonly retryAfterMs?: number | undefined
}

export const invalidTicket = (reason: string): Denied => ({ allowed: false, permanent: true, code: 4401, rule: 'ticketInvalid', reason })

export const mayNotRead = (reason: string, rule: RefusalRule = 'forbidden'): Denied => ({ allowed: false, permanent: true, code: 4403, rule, reason })

/** The page of La Suite Docs stops retrying at exactly this code and reason. */
export const noCookies: Denied = { allowed: false, permanent: true, code: 4001, rule: 'noCookies', reason: 'No cookies' }

export const tryAgainLater = (reason: string, retryAfterMs?: number): Unavailable =>
  ({ allowed: false, permanent: false, code: 4503, rule: 'unavailable', reason, retryAfterMs })
