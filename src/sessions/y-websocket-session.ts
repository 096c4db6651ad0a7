import type { RawData, WebSocket } from 'ws'
import type { Allowed } from '../access/verdict.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { decodeYWebsocket } from '../protocol/decode-message.ts'
import { encodePermissionDenied } from '../protocol/encode-message.ts'
import { framesOf, noAddress } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'
import type { Requester } from '../logging/refusals.ts'
import { Connection, type Session } from '../sync/connection.ts'
import { enterRoom, isPermissionDenied, leaveRoom, type Gate } from './gate.ts'
import { RateLimit } from './rate-limit.ts'
import { renewAccess } from './renewal.ts'
import { WsSocket } from './web-socket.ts'
import { yWebsocketProtocol } from './y-websocket-protocol.ts'

/** One y-websocket client: one socket, one room, authorised before the upgrade. */
export class YWebsocketSession implements Session {
  readonly #gate: Gate
  readonly #room: string
  readonly #requester: Requester
  readonly #socket: WsSocket
  readonly #connection: Connection
  readonly #rate: RateLimit

  constructor (ws: WebSocket, gate: Gate, room: string, verdict: Allowed, requester: Requester) {
    this.#gate = gate
    this.#room = room
    this.#requester = requester
    this.#socket = new WsSocket(ws, gate, (reason) => { this.#report(reason) })
    this.#rate = new RateLimit(gate.rates, gate.now())
    this.#connection = new Connection({
      socket: this.#socket,
      session: this,
      protocol: yWebsocketProtocol,
      address: noAddress,
      member: verdict,
    })
    const refused = enterRoom(gate, room, this.#connection, verdict)
    if (refused !== undefined) {
      this.#close(refused)
      return
    }
    this.#socket.letIn(this.#connection)
    ws.on('message', (data, isBinary) => { this.#receive(data, isBinary) })
    ws.on('ping', (data) => { this.#receivePing(data) })
    ws.on('pong', () => { this.#socket.heard() })
    ws.on('close', (code) => { this.#left(code) })
  }

  /** The engine has ended the connection. */
  ended (_connection: Connection, reason: CloseReason): void {
    if (isPermissionDenied(reason)) this.#socket.write(framesOf(noAddress, [encodePermissionDenied(reason.reason)]))
    leaveRoom(this.#gate, this.#connection, reason.code)
    this.#close(reason)
  }

  /** The engine calls this once the updates before the ticket have been processed. */
  async renew (connection: Connection, ticket: string): Promise<void> {
    await renewAccess(this.#gate, connection, ticket)
  }

  #close (reason: CloseReason): void {
    this.#report(reason)
    this.#socket.close(reason)
  }

  #report (reason: CloseReason): void {
    this.#gate.refusals.report(reason, this.#requester, { room: this.#room, user: this.#connection.userId })
  }

  #left (code: number): void {
    if (this.#connection.phase === 'ended') return
    this.#connection.leave()
    leaveRoom(this.#gate, this.#connection, code)
  }

  #receivePing (data: Buffer): void {
    this.#socket.heard()
    if (this.#rate.take(data.length, this.#socket.heardAt)) this.#socket.pong(data)
    else this.#connection.end(closes.tooMany)
  }

  #receive (data: RawData, isBinary: boolean): void {
    const connection = this.#connection
    if (connection.phase === 'ended') return
    const discarded = this.#socket.received()
    // The binaryType of the socket is nodebuffer.
    const frame = data as Buffer
    if (!this.#rate.take(Math.max(frame.length, discarded), this.#socket.heardAt)) return connection.end(closes.tooMany)
    if (!isBinary) return connection.end(closes.textFrame)
    if (discarded > 0) return connection.receive({ type: 'discarded' })
    let message: ClientMessage
    try {
      message = decodeYWebsocket(frame)
    } catch {
      return connection.end(closes.malformed)
    }
    connection.receive(message)
  }
}

/**
 * Refuses a client whose socket was upgraded only to report the reason: a browser cannot see the status of a refused
 * handshake.
 */
export function refuseYWebsocket (socket: WsSocket, reason: CloseReason): void {
  if (isPermissionDenied(reason)) socket.write(framesOf(noAddress, [encodePermissionDenied(reason.reason)]))
  socket.close(reason)
}
