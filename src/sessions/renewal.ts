import { invalidTicket, type Verdict } from '../access/verdict.ts'
import { closes } from '../protocol/close-codes.ts'
import type { Connection } from '../sync/connection.ts'
import { refusal, type Gate } from './gate.ts'

/**
 * Parts of a socket's `PartsBudget` that a ticket takes: checking it takes the event loop about 0.2 ms, as long as 1000
 * parts. A socket can renew all of its documents at once (at most 200), and then 20 a second.
 */
const partsOfTicket = 1000

const otherUser = invalidTicket('The ticket is for another user.')

/**
 * Judges a ticket from the client of an open connection, and confirms it to the client. A ticket that is refused ends
 * the connection.
 * @returns whether the ticket has taken effect
 * @throws what prevents a verdict
 */
export async function renewAccess (gate: Gate, connection: Connection, ticket: string): Promise<boolean> {
  const { room, protocol } = connection
  if (room === undefined || !connection.spend(partsOfTicket, gate.now())) return false
  const verdict = await gate.authoriseRenewal(room.name, ticket)
  if (!takeOver(gate, room.name, connection, verdict)) return false
  connection.send([protocol.accessRenewed(connection.canEdit)])
  return true
}

/** @returns whether the connection is still open, with the rights of the verdict */
function takeOver (gate: Gate, room: string, connection: Connection, verdict: Verdict): boolean {
  const isReset = verdict.allowed && !gate.epochs.isCurrent(verdict.epoch, room, verdict.userId)
  if (!verdict.allowed) connection.end(refusal(verdict))
  else if (verdict.userId !== connection.userId) connection.end(refusal(otherUser))
  else if (isReset) connection.end(closes.reset)
  else connection.takeOver(verdict)
  // A client that has left meanwhile needs no recheck, but the new rights apply to the updates that it sent before it
  // left.
  if (!verdict.allowed || connection.phase === 'ended') return false
  gate.rechecks.replace(connection, verdict)
  return true
}
