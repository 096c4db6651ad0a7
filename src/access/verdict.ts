import type { RefusalRule } from '../logging/refusal-rules.ts'

/** Whether a connection can open a room. */
export type Verdict = Allowed | Denied | Unavailable

/** The connection can open the room. Immutable: equal questions share one object. */
export interface Allowed {
  readonly allowed: true
  /** Django's id of the user; undefined for an anonymous visitor. */
  readonly userId?: string | undefined
  readonly canEdit: boolean
  /** The browser session, as `get-connections` names it. */
  readonly sessionKey?: string | undefined
  /** When access expires, ms since the epoch; undefined: never. */
  readonly expiresAt?: number | undefined
  /** The epoch in which the check began: a later reset revokes the access; see `Epochs`. */
  readonly epoch: number
  /** Checks again with the same credentials; undefined if nothing can be asked again (a reverse proxy's headers). */
  readonly recheck?: (() => Promise<Verdict>) | undefined
}

/** Access is denied, and another attempt does not help: clients stop on these codes. */
export interface Denied {
  readonly allowed: false
  readonly permanent: true
  /**
   * 4001: no credentials, though a cookie could give access; 4401: the ticket is expired or invalid; 4403: access is
   * denied to this user.
   */
  readonly code: 4001 | 4401 | 4403
  readonly rule: RefusalRule
  /** One sentence for people, without secrets, short enough for a close frame (123 bytes). */
  readonly reason: string
}

/** The check could not be made now: clients retry. */
export interface Unavailable {
  readonly allowed: false
  readonly permanent: false
  readonly code: 4503
  readonly rule: 'unavailable'
  readonly reason: string
  /** The backend's `Retry-After`, ms. */
  readonly retryAfterMs?: number | undefined
}

/** Denies access because of the ticket. */
export const invalidTicket = (reason: string): Denied =>
  ({ allowed: false, permanent: true, code: 4401, rule: 'ticketInvalid', reason })

/** Denies access to this user. */
export const mayNotRead = (reason: string, rule: RefusalRule = 'forbidden'): Denied =>
  ({ allowed: false, permanent: true, code: 4403, rule, reason })

/**
 * Denies access because no credentials came. The page of La Suite Docs stops retrying at exactly this code and reason.
 */
export const noCookies: Denied = {
  allowed: false,
  permanent: true,
  code: 4001,
  rule: 'noCookies',
  reason: 'No cookies',
}

/** Makes the client retry. */
export const tryAgainLater = (reason: string, retryAfterMs?: number): Unavailable =>
  ({ allowed: false, permanent: false, code: 4503, rule: 'unavailable', reason, retryAfterMs })
