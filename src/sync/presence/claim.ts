import { createHash, randomBytes } from 'node:crypto'
import { absentState } from '../../protocol/awareness.ts'

/*
 * Who may speak for a client id, by one rule on every node:
 *
 * 1. The person who spoke for it first owns it, on every node and connection, while present and for `rememberLeftMs` after.
 *    Nobody else's word about it is applied or relayed.
 * 2. Of two claims made on nodes that had not heard of each other, the earlier one wins. Every node compares the same two
 *    numbers, so all end up with the same owner in whatever order they hear. The times are those of the nodes' clocks:
 *    claims closer together than the clocks agree may go either way, but to the same person everywhere.
 * 3. Nothing tells one anonymous person from another. An id of theirs that was left, or was not renewed for `staleMs`, is open
 *    to any anonymous person, and `anonymousReservedMs` after it was left to anybody.
 *
 * Nodes send the claim along with each presence; when two of them meet in a room, also those of who has left.
 */

/** Whose a client id is. */
export interface Claim {
  /** See `personOf` */
  readonly person: string
  /** ms since the epoch, by the clock of the node that heard it first */
  readonly since: number
}

/** A client id that is claimed already. */
export interface Claimed {
  readonly claim: Claim
  readonly state: string
  /** Engine time in ms; of a client that has left, when it left */
  readonly renewedAt: number
}

/** ms for which clients that have left are remembered: their owner, and the clock that a return has to exceed. */
export const rememberLeftMs = 120_000
/** ms for which the id of an anonymous person who has left is kept for anonymous people: a reconnect takes seconds. */
const anonymousReservedMs = 30_000
/** ms after which an anonymous person counts as gone though its connection is still open; clients renew every 15 s. */
const staleMs = 20_000

/** Anonymous people sort behind all others: a connection whose user becomes known keeps its claims. */
const anonymousPrefix = '~'

/**
 * What tells one person from another on all nodes: a digest of the user id, else of the session key. 132 bits, because
 * somebody who can choose either could search for one that meets a shorter digest of somebody else. Without both, a name
 * that is never given again.
 */
export function personOf (userId: string | undefined, sessionKey: string | undefined): string {
  if (userId === undefined && sessionKey === undefined) return anonymousPrefix + randomBytes(12).toString('base64url')
  const name = userId === undefined ? `session ${sessionKey}` : `user ${userId}`
  return createHash('sha256').update(name).digest('base64url').slice(0, 22)
}

/** Whether the person is known by no user id and no session key. */
export const isAnonymous = (person: string): boolean => person.startsWith(anonymousPrefix)

/** Whether a person may speak for a client id that was claimed before. */
export function isOpenTo (person: string, { claim, state, renewedAt }: Claimed, now: number): boolean {
  if (person === claim.person) return true
  const hasLeft = state === absentState
  if (!isAnonymous(claim.person)) return hasLeft && now - renewedAt > rememberLeftMs
  return isAnonymous(person) ? hasLeft || now - renewedAt > staleMs : hasLeft && now - renewedAt > anonymousReservedMs
}

/** Whether another person's claim, heard of from another node, replaces the one that is known. */
export function replaces (claim: Claim, isPresent: boolean, known: Claimed, now: number): boolean {
  if (isPresent && isOpenTo(claim.person, known, now)) return true
  // An anonymous person who has left may well be the very one who is here now.
  if (!isPresent && isAnonymous(claim.person) && isAnonymous(known.claim.person)) return false
  return claim.since < known.claim.since || (claim.since === known.claim.since && claim.person < known.claim.person)
}
