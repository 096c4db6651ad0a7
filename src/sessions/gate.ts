import type { Epochs } from '../access/epochs.ts'
import type { Allowed, Verdict } from '../access/verdict.ts'
import type { Logger } from '../logging/logger.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Connection } from '../sync/connection.ts'
import type { Refusals } from '../logging/refusals.ts'
import type { Rooms } from '../sync/rooms.ts'
import type { ConnectionLimits } from './connection-limits.ts'
import type { InboundOptions } from './inbound.ts'
import type { Rates } from './rate-limit.ts'
import type { Rechecks } from './rechecks.ts'
import type { RoomSockets } from './room-sockets.ts'
import type { SocketFigures } from './socket-figures.ts'

/** What the sessions of a process share. */
export interface Gate extends InboundOptions {
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
  /** ms until a socket without credentials must have shown some */
  readonly authTimeoutMs: number
  /** ms until a socket that carries no document, or only refused ones, is closed */
  readonly emptyTimeoutMs: number
  readonly refusals: Refusals
}

/**
 * Lets a connection into its room, unless a reset has overtaken its verdict or there are too many. Whoever was let in must
 * be let out by `leaveRoom`.
 * @param greeting what the client hears before anything of the room
 * @returns why it was not let in; undefined where it was
 */
export function enterRoom (gate: Gate, name: string, connection: Connection, verdict: Allowed, greeting: readonly Uint8Array[] = []): CloseReason | undefined {
  if (!gate.epochs.isCurrent(verdict.epoch, name, verdict.userId)) return closes.reset
  const isFull = gate.maxConnectionsPerRoom > 0 && gate.rooms.size(name) >= gate.maxConnectionsPerRoom
  if (isFull || !gate.limits.enterAs(verdict.userId)) return closes.tooManyConnections
  gate.rechecks.add(connection, verdict)
  if (greeting.length > 0) connection.send(greeting)
  gate.figures.connections[protocolOf(connection)]++
  gate.logger.info(lineOf(gate, name, connection), 'Opened a document')
  gate.rooms.join(name, connection)
  return undefined
}

/** @param code with which the socket was closed, or the document on it; undefined: the client has left the document */
export function leaveRoom (gate: Gate, connection: Connection, code: number | undefined): void {
  gate.limits.leaveAs(connection.userId)
  gate.rechecks.delete(connection)
  gate.figures.connections[protocolOf(connection)]--
  const seconds = Math.round((gate.now() - connection.joinedAt) / 1000)
  gate.logger.info({ ...lineOf(gate, connection.room?.name, connection), seconds, code }, 'Closed a document')
}

const protocolOf = ({ speaksHocuspocus }: Connection) => speaksHocuspocus ? 'hocuspocus' : 'y-websocket'

function lineOf ({ node }: Gate, room: string | undefined, connection: Connection) {
  return { room, user: connection.userId, protocol: protocolOf(connection), node }
}

/** How a verdict that lets nobody in reaches the client. Where nobody could say, all who ask are told to come back, each at another moment. */
export function refusal (verdict: Extract<Verdict, { allowed: false }>): CloseReason {
  const { code, reason, rule } = verdict
  return verdict.permanent ? { code, reason, rule } : { code, reason, rule, retryWithinMs: Math.max(closes.unavailable.retryWithinMs, 2 * (verdict.retryAfterMs ?? 0)) }
}

const denials: ReadonlySet<number> = new Set([closes.noCookies, closes.ticketInvalid, closes.forbidden, closes.deleted].map(({ code }) => code))
const ofOneDocument: ReadonlySet<number> = new Set([...denials, closes.tooLarge.code, closes.damaged.code])

/** Permanent reasons that deny access: the client gets its protocol's own message too. */
export const isPermissionDenied = ({ code }: CloseReason): boolean => denials.has(code)

/** Reasons that concern one document of a socket. All others concern the socket, or require a new one. */
export const isAboutOneDocument = ({ code }: CloseReason): boolean => ofOneDocument.has(code)
