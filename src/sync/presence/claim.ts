import { createHash, randomBytes } from 'node:crypto'
import { absentState } from '../../protocol/awareness.ts'

/*
 * Who can speak for a client id, by one rule on every node:
 *
 * 1. The first person who uses it owns it, on every node and connection, while present and for `rememberLeftMs`
 *    after. States of other people for it are neither applied nor relayed.
 * 2. Of two claims made on nodes that were not in contact, the earlier one wins. Every node compares the same two
 *    numbers, so all nodes end up with the same owner, in whatever order they receive the claims. The times are those
 *    of the nodes' clocks: claims closer together than the clocks agree can go either way, but to the same person on
 *    every node.
 * 3. Anonymous people cannot be told apart. An id of an anonymous person that has left, or was not renewed for
 *    `staleMs`, is open to any anonymous person, and `anonymousReservedMs` after it was left to anybody.
 *
 * Nodes send the claim with each presence, and when two nodes first share a room, also the claims of clients that have
 * left.
 */

/** The owner of a client id. */
export interface Claim {
  /** See `personOf` */
  readonly person: string
  /** ms since the epoch, by the clock of the node that received it first */
  readonly since: number
}

/** A client id that is claimed already. */
export interface Claimed {
  readonly claim: Claim
  readonly state: string
  /** Engine time in ms; of a client that has left, when it left */
  readonly renewedAt: number
}

/** ms for which clients that have left are remembered: their owner, and the clock that must be exceeded on return. */
export const rememberLeftMs = 120_000
/** ms for which the id of an anonymous person who has left is kept for anonymous people: a reconnect takes seconds. */
const anonymousReservedMs = 30_000
/**
 * ms after which a silent anonymous person counts as absent though the connection is open; clients renew every 15 s.
 */
const staleMs = 20_000

/** Anonymous people sort after all others: a connection whose user becomes known keeps its claims. */
const anonymousPrefix = '~'

/**
 * Identifies a person on all nodes: a digest of the user id, else of the session key. It has 132 bits, because an
 * attacker who can choose either could search for a collision with a shorter digest. Without both, a name that is never
 * used again.
 */
export function personOf (userId: string | undefined, sessionKey: string | undefined): string {
  const isAnonymous = userId === undefined && sessionKey === undefined
  if (isAnonymous) return anonymousPrefix + randomBytes(12).toString('base64url')
  const name = userId === undefined ? `session ${sessionKey}` : `user ${userId}`
  return createHash('sha256').update(name).digest('base64url').slice(0, 22)
}

/** Whether the person is known by no user id and no session key. */
export const isAnonymous = (person: string): boolean => person.startsWith(anonymousPrefix)

/** Whether a person can speak for a client id that was claimed before. */
export function isOpenTo (person: string, { claim, state, renewedAt }: Claimed, now: number): boolean {
  if (person === claim.person) return true
  const hasLeft = state === absentState
  if (!isAnonymous(claim.person)) return hasLeft && now - renewedAt > rememberLeftMs
  return isAnonymous(person) ? hasLeft || now - renewedAt > staleMs : hasLeft && now - renewedAt > anonymousReservedMs
}

/** Whether another person's claim, received from another node, replaces the known one. */
export function replaces (claim: Claim, isPresent: boolean, known: Claimed, now: number): boolean {
  if (isPresent && isOpenTo(claim.person, known, now)) return true
  // An anonymous person who has left can be the one who is present now.
  if (!isPresent && isAnonymous(claim.person) && isAnonymous(known.claim.person)) return false
  return claim.since < known.claim.since || (claim.since === known.claim.since && claim.person < known.claim.person)
}
