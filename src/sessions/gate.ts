import type { Epochs } from '../access/epochs.ts'
import type { Allowed, Verdict } from '../access/verdict.ts'
import type { Logger } from '../logging/logger.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Connection } from '../sync/connection.ts'
import type { Refusals } from '../logging/refusals.ts'
import type { Rooms } from '../sync/rooms.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { Rates } from './rate-limit.ts'
import type { Rechecks } from './rechecks.ts'
import type { RoomSockets } from './room-sockets.ts'
import type { SocketFigures } from './socket-figures.ts'
import type { SocketOptions } from './web-socket.ts'

/** What the sessions of a process share. */
export interface Gate extends SocketOptions {
  readonly rooms: Rooms
  readonly limits: ConnectionLimits
  readonly rates: Rates
  readonly rechecks: Rechecks
  readonly epochs: Epochs
  /** Judges a ticket that renews the access of an open connection */
  authoriseRenewal (room: string, ticket: string): Promise<Verdict>
  readonly roomSockets: RoomSockets
  readonly figures: SocketFigures
  readonly maxConnectionsPerRoom: number
  readonly logger: Logger
  /** This node's name in the log */
  readonly node: string
  /** ms within which a socket must send credentials */
  readonly authTimeoutMs: number
  /** ms after which a socket that carries no document, or only refused ones, is closed */
  readonly emptyTimeoutMs: number
  readonly refusals: Refusals
}

/**
 * Brings a connection into its room, unless a reset has overtaken its verdict or there are too many connections. Each
 * connection that was admitted must leave by `leaveRoom`.
 * @param first messages that the client gets before any of the room
 * @returns why it was not admitted; undefined if it was
 */
export function enterRoom (
  gate: Gate,
  name: string,
  connection: Connection,
  verdict: Allowed,
  first: readonly Uint8Array[] = []
): CloseReason | undefined {
  if (!gate.epochs.isCurrent(verdict.epoch, name, verdict.userId)) return closes.reset
  const isFull = gate.maxConnectionsPerRoom > 0 && gate.rooms.size(name) >= gate.maxConnectionsPerRoom
  if (isFull || !gate.limits.enterAs(verdict.userId)) return closes.tooManyConnections
  gate.rechecks.add(connection, verdict)
  if (first.length > 0) connection.send(first)
  gate.figures.opened(connection.protocol.name)
  gate.logger.info(lineOf(gate, name, connection), 'Opened a document')
  gate.rooms.join(name, connection)
  return undefined
}

/**
 * Undoes `enterRoom`.
 * @param code with which the socket was closed, or the document on it; undefined: the client has left the document
 */
export function leaveRoom (gate: Gate, connection: Connection, code: number | undefined): void {
  gate.limits.leaveAs(connection.userId)
  gate.rechecks.delete(connection)
  gate.figures.left(connection.protocol.name)
  const seconds = Math.round((gate.now() - connection.joinedAt) / 1000)
  gate.logger.info({ ...lineOf(gate, connection.room?.name, connection), seconds, code }, 'Closed a document')
}

function lineOf ({ node }: Gate, room: string | undefined, connection: Connection) {
  return { room, user: connection.userId, protocol: connection.protocol.name, node }
}

/**
 * The close reason for a verdict that denies access. If Django could not answer, the reason asks the client to retry,
 * each client after a different delay.
 */
export function refusal (verdict: Extract<Verdict, { allowed: false }>): CloseReason {
  const { code, reason, rule } = verdict
  if (verdict.permanent) return { code, reason, rule }
  const retryWithinMs = Math.max(closes.unavailable.retryWithinMs, 2 * (verdict.retryAfterMs ?? 0))
  return { code, reason, rule, retryWithinMs }
}

const { noCookies, ticketInvalid, forbidden, deleted } = closes
const denials: ReadonlySet<number> = new Set([noCookies, ticketInvalid, forbidden, deleted].map(({ code }) => code))
const ofOneDocument: ReadonlySet<number> = new Set([...denials, closes.tooLarge.code, closes.damaged.code])

/** Whether a reason denies access for good: the client gets its protocol's own message too. */
export const isPermissionDenied = ({ code }: CloseReason): boolean => denials.has(code)

/** Whether a reason concerns one document of a socket. All others concern the socket, or require a new one. */
export const isAboutOneDocument = ({ code }: CloseReason): boolean => ofOneDocument.has(code)
