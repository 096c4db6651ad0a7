import type { RefusalRule } from '../logging/refusal-rules.ts'
import { closes } from '../protocol/close-codes.ts'

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
  readonly code: (typeof closes)['noCookies' | 'ticketInvalid' | 'forbidden']['code']
  readonly rule: RefusalRule
  /** One sentence for people, without secrets, short enough for a close frame (123 bytes). */
  readonly reason: string
}

/** The check could not be made now: clients retry. */
export interface Unavailable {
  readonly allowed: false
  readonly permanent: false
  readonly code: typeof closes.unavailable.code
  readonly rule: typeof closes.unavailable.rule
  readonly reason: string
  /** The backend's `Retry-After`, ms. */
  readonly retryAfterMs?: number | undefined
}

/** Denies access because of the ticket. */
export const invalidTicket = (reason: string): Denied =>
  ({ allowed: false, permanent: true, ...closes.ticketInvalid, reason })

/** Denies access to this user. */
export const mayNotRead = (reason: string, rule: RefusalRule = 'forbidden'): Denied =>
  ({ allowed: false, permanent: true, ...closes.forbidden, rule, reason })

/** Denies access because no credentials came, though a cookie could give access. */
export const noCookies: Denied = { allowed: false, permanent: true, ...closes.noCookies }

/** Makes the client retry. */
export const tryAgainLater = (reason: string, retryAfterMs?: number): Unavailable => {
  const { code, rule } = closes.unavailable
  return { allowed: false, permanent: false, code, rule, reason, retryAfterMs }
}
