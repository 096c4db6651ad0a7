import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import type { JWTPayload } from 'jose'
import type { Epochs } from './epochs.ts'
import { invalidTicket } from './verdict.ts'
import type { Allowed, Denied } from './verdict.ts'

/** Bytes; a ticket that Django mints has 200 to 400. Longer ones are refused unread. */
const MAX_TICKET_BYTES = 8 * 1024

/** Seconds; how far ahead `exp` may lie, so that a leaked ticket does not stay good for months. */
const MAX_LIFETIME_S = 24 * 60 * 60

/**
 * Seconds by which Django's clock may run ahead of ours, for `nbf` and the 24 hours only.
 * `exp` itself has no leeway: a ticket ends when it says so.
 */
const CLOCK_LEEWAY_S = 60

export interface TicketCheckOptions {
  /** What signs tickets, the current secret first; empty ones are left out. */
  readonly secrets: readonly string[]
  /** Ms since the epoch. */
  readonly now: () => number
  readonly epochs: Epochs
}

/**
 * Checks a ticket for one room. Never rejects on what a client sent; the reason says what is wrong without repeating it.
 * A user id may be a string or a whole number (Django's default primary key), a UUID is a string in JSON anyway.
 */
export type TicketCheck = (ticket: string, room: string) => Promise<Allowed | Denied>

/** Makes the check of tickets: JWTs, HS256 only, signed with one of the secrets. */
export function createTicketCheck ({ secrets, now, epochs }: TicketCheckOptions): TicketCheck {
  const keys = secrets.filter((secret) => secret !== '').map((secret) => createSecretKey(Buffer.from(secret)))
  return async function checkTicket (ticket, room) {
    if (Buffer.byteLength(ticket) > MAX_TICKET_BYTES) return invalidTicket('The ticket is too long.')
    try {
      return judgeClaims(await verify(ticket, keys, now()), room, now, epochs)
    } catch (error) {
      if (error instanceof errors.JWTExpired) return EXPIRED
      if (error instanceof errors.JOSEError) return invalidTicket('The ticket is invalid.')
      throw error
    }
  }
}

const EXPIRED = invalidTicket('The ticket has expired.')

async function verify (ticket: string, keys: readonly KeyObject[], nowMs: number): Promise<JWTPayload> {
  let failure: unknown = new errors.JWSSignatureVerificationFailed()
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(ticket, key, {
        algorithms: ['HS256'],
        currentDate: new Date(nowMs),
        clockTolerance: CLOCK_LEEWAY_S,
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

function judgeClaims (claims: JWTPayload, room: string, now: () => number, epochs: Epochs): Allowed | Denied {
  const expiresAt = Number(claims.exp) * 1000
  // The library compares whole seconds and grants the leeway; here the claim counts as it stands.
  if (!(expiresAt > now())) return EXPIRED
  if (expiresAt > now() + (MAX_LIFETIME_S + CLOCK_LEEWAY_S) * 1000) {
    return invalidTicket('The ticket is valid for more than 24 hours.')
  }
  if (typeof claims['room'] !== 'string') return invalidTicket('The ticket names no room.')
  if (claims['room'] !== room) return invalidTicket('The ticket is for another room.')
  const userId = readUserId(claims['user_id'])
  if (userId === INVALID) return invalidTicket('The user id of the ticket is neither a string nor a whole number.')
  const sessionKey = claims['session_key'] ?? undefined
  if (sessionKey !== undefined && typeof sessionKey !== 'string') return invalidTicket('The session key of the ticket is not a string.')
  const verdict = { allowed: true, userId, canEdit: claims['can_edit'] === true, sessionKey: sessionKey || undefined, expiresAt } as const
  // A reset takes nothing from a ticket: it holds as long as it says.
  const judge = (): Allowed | Denied => now() < expiresAt ? { ...verdict, epoch: epochs.current, recheck: async () => judge() } : EXPIRED
  return judge()
}

const INVALID = Symbol('invalid user id')

/** Whole numbers above 2^53 are refused: they have already lost digits, and one user could pass for another. */
function readUserId (claim: unknown): string | undefined | typeof INVALID {
  if (claim === undefined || claim === null || claim === '') return undefined
  if (typeof claim === 'string') return claim
  return Number.isSafeInteger(claim) ? String(claim) : INVALID
}
