import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import type { Epochs } from './epochs.ts'
import { invalidTicket } from './verdict.ts'
import type { Allowed, Denied } from './verdict.ts'

/** Bytes; Django's tickets have 200 to 400. Longer ones are rejected unread. */
const maxTicketBytes = 8 * 1024

/** Seconds; how far ahead `exp` can be, so that a leaked ticket does not stay valid for months. */
const maxLifetimeS = 24 * 60 * 60

/**
 * Seconds by which Django's clock can be ahead, for `nbf` and the 24 hours only. `exp` has no leeway: a ticket expires
 * exactly then.
 */
const clockLeewayS = 60

/** The secrets, the clock and the epochs by which tickets are checked. */
export interface TicketCheckOptions {
  /** The secrets that sign tickets, the current one first; empty ones are ignored. */
  readonly secrets: readonly string[]
  /** ms since the epoch. */
  readonly now: () => number
  readonly epochs: Epochs
}

/**
 * Checks a ticket for one room. Never rejects because of the client's input; the reason names the fault without
 * repeating the input. A user id is a string (a UUID too) or an integer (Django's default primary key).
 */
export type TicketCheck = (ticket: string, room: string) => Promise<Allowed | Denied>

/** Makes the check of tickets: JWTs, HS256 only, signed with one of the secrets. */
export function createTicketCheck ({ secrets, now, epochs }: TicketCheckOptions): TicketCheck {
  const keys = secrets.filter((secret) => secret !== '').map((secret) => createSecretKey(Buffer.from(secret)))
  return async function checkTicket (ticket, room) {
    if (Buffer.byteLength(ticket) > maxTicketBytes) return invalidTicket('The ticket is too long.')
    try {
      return checkClaims(await verify(ticket, keys, now()), room, now, epochs)
    } catch (error) {
      if (error instanceof errors.JWTExpired) return expired
      if (error instanceof errors.JOSEError) return invalidTicket('The ticket is invalid.')
      throw error
    }
  }
}

const expired = invalidTicket('The ticket has expired.')

async function verify (ticket: string, keys: readonly KeyObject[], nowMs: number): Promise<JWTPayload> {
  let failure: unknown = new errors.JWSSignatureVerificationFailed()
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(ticket, key, {
        algorithms: ['HS256'],
        currentDate: new Date(nowMs),
        clockTolerance: clockLeewayS,
        requiredClaims: ['exp', 'room'],
      })
      return payload
    } catch (error) {
      failure = error
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break
    }
  }
  throw failure
}

function checkClaims (claims: JWTPayload, room: string, now: () => number, epochs: Epochs): Allowed | Denied {
  const expiresAt = Number(claims.exp) * 1000
  // The library compares whole seconds and grants the leeway; this check is exact.
  if (!(expiresAt > now())) return expired
  if (expiresAt > now() + (maxLifetimeS + clockLeewayS) * 1000) {
    return invalidTicket('The ticket is valid for more than 24 hours.')
  }
  if (typeof claims['room'] !== 'string') return invalidTicket('The ticket names no room.')
  if (claims['room'] !== room) return invalidTicket('The ticket is for another room.')
  const userId = readUserId(claims['user_id'])
  if (userId === invalidUserId) return invalidTicket('The user id of the ticket is neither a string nor a whole number.')
  const sessionKey = claims['session_key'] ?? undefined
  if (sessionKey !== undefined && typeof sessionKey !== 'string') return invalidTicket('The session key of the ticket is not a string.')
  const canEdit = claims['can_edit'] === true
  const verdict = { allowed: true, userId, canEdit, sessionKey: sessionKey || undefined, expiresAt } as const
  // A reset does not revoke a ticket: it is valid until it expires.
  const check = (): Allowed | Denied => {
    return now() < expiresAt ? { ...verdict, epoch: epochs.current, recheck: async () => check() } : expired
  }
  return check()
}

const invalidUserId = Symbol('invalid user id')

/** Rejects integers above 2^53: they have already lost digits, and one user could pass for another. */
function readUserId (claim: unknown): string | undefined | typeof invalidUserId {
  if (claim === undefined || claim === null || claim === '') return undefined
  if (typeof claim === 'string') return claim
  return Number.isSafeInteger(claim) ? String(claim) : invalidUserId
}
