import type { RawData, WebSocket } from 'ws'
import type { Allowed, Verdict } from '../access/verdict.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { decodeHocuspocus, type AddressedMessage } from '../protocol/decode-message.ts'
import { encodeAuthenticated, encodeCloseMessage, encodeHocuspocusDenied, encodePong } from '../protocol/encode-message.ts'
import { framesOf, hocuspocusAddress, noAddress, type Address } from '../protocol/frame.ts'
import { messageType, type ClientMessage } from '../protocol/message.ts'
import { Connection, type Session } from '../sync/connection.ts'
import { enterRoom, isPermissionDenied, leaveRoom, refusal, type Gate } from './gate.ts'
import { RateLimit } from './rate-limit.ts'
import { WsSocket } from './web-socket.ts'

/** What may wait on one socket for verdicts; a client that has not been let in must not fill the memory. */
const maxWaitingMessages = 500
const maxWaitingBytes = 4 * 1024 * 1024
/** A socket that carries no document any more is closed after this many ms, unless another comes. */
const emptyTimeoutMs = 60_000
/** Documents on one socket, let in or not */
const maxDocuments = 200

/** A document on the socket for which somebody is being asked. */
interface Waiting {
  readonly address: Address
  readonly messages: ClientMessage[]
}

export interface HocuspocusSessionOptions {
  readonly gate: Gate
  /** The one document that the address of the socket allows; undefined = any */
  readonly room: string | undefined
  /** Judges the opening of a document. `token` is empty where the client has sent none. */
  authorise (documentName: string, token: string): Promise<Verdict>
  isRoomName (name: string): boolean
}

/** One Hocuspocus client: a socket that carries one document or many, each authorised by itself. */
export class HocuspocusSession implements Session {
  readonly #options: HocuspocusSessionOptions
  readonly #socket: WsSocket
  readonly #rate: RateLimit
  readonly #documents = new Map<string, Connection | Waiting>()
  /** Runs while the socket carries no document that somebody may see */
  #authTimer: NodeJS.Timeout | undefined
  #waitingMessages = 0
  #waitingBytes = 0
  #isClosed = false

  constructor (ws: WebSocket, options: HocuspocusSessionOptions) {
    const { gate } = options
    this.#options = options
    this.#socket = new WsSocket(ws, gate.now)
    this.#rate = new RateLimit(gate.rates, gate.now())
    this.#authTimer = setTimeout(() => { this.#close({ ...closes.ticketInvalid, reason: 'No credentials came in time' }) }, gate.authTimeoutMs)
    ws.on('message', (data, isBinary) => { this.#receive(data, isBinary) })
    ws.on('pong', () => { this.#socket.heard() })
    ws.on('close', () => { this.#left() })
  }

  /** The engine has ended one document's connection. The provider hears it in its own words first. */
  ended (connection: Connection, { code, reason }: CloseReason): void {
    leaveRoom(this.#options.gate, connection)
    this.#forget(connection.address)
    const words = isPermissionDenied({ code, reason }) ? encodeHocuspocusDenied(reason) : encodeCloseMessage(reason)
    this.#socket.write(framesOf(connection.address, [words]))
    if (this.#isOver(code)) this.#close({ code, reason })
  }

  #receive (data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    this.#socket.heard()
    // binaryType is left at nodebuffer, so that what comes is a Buffer.
    const frame = data as Buffer
    if (!this.#rate.take(frame.length, this.#socket.heardAt)) return this.#close(closes.tooMany)
    if (!isBinary) return this.#close(closes.textFrame)
    if (frame.length === 1) return this.#receiveBare(frame[0])
    let addressed: AddressedMessage
    try {
      addressed = decodeHocuspocus(frame)
    } catch {
      return this.#close(closes.malformed)
    }
    this.#dispatch(addressed, frame.length)
  }

  /** Ping and Pong are about the socket and stand alone, without a document's name. */
  #receiveBare (type: number | undefined): void {
    if (type === messageType.ping) this.#socket.write(framesOf(noAddress, [encodePong()]))
    else if (type !== messageType.pong) this.#close(closes.malformed)
  }

  #dispatch ({ address, documentName, message }: AddressedMessage, bytes: number): void {
    const document = this.#documents.get(address)
    if (document instanceof Connection) {
      if (message.type === 'close') this.#leave(document)
      else if (message.type === 'ping') document.send([encodePong()])
      else if (message.type !== 'auth') document.receive(message)
    } else if (document !== undefined) {
      this.#wait(document, message, bytes)
    } else if (message.type !== 'close') {
      this.#openDocument(address, documentName, message, bytes)
    }
  }

  #openDocument (name: string, documentName: string, message: ClientMessage, bytes: number): void {
    const { room, isRoomName, authorise } = this.#options
    if (this.#documents.size >= maxDocuments) return this.#close(closes.tooMany)
    const waiting: Waiting = { address: hocuspocusAddress(name), messages: [] }
    if ((room !== undefined && room !== documentName) || !isRoomName(documentName)) {
      return this.#refuse(waiting, { ...closes.forbidden, reason: 'The document is not the one this socket is for' })
    }
    this.#documents.set(name, waiting)
    // Provider 2 sends no Auth message where it has no token: then the socket's own credentials decide.
    const token = message.type === 'auth' ? message.token : ''
    if (message.type !== 'auth') this.#wait(waiting, message, bytes)
    authorise(documentName, token)
      .then((verdict) => { this.#judged(waiting, documentName, verdict) })
      .catch(() => { this.#close(closes.unavailable) })
  }

  #wait (waiting: Waiting, message: ClientMessage, bytes: number): void {
    waiting.messages.push(message)
    this.#waitingMessages++
    this.#waitingBytes += bytes
    if (this.#waitingMessages > maxWaitingMessages || this.#waitingBytes > maxWaitingBytes) this.#close(closes.tooMany)
  }

  #judged (waiting: Waiting, documentName: string, verdict: Verdict): void {
    if (this.#isClosed) return
    if (verdict.allowed) this.#admit(waiting, documentName, verdict)
    else this.#refuse(waiting, refusal(verdict))
  }

  #admit ({ address, messages }: Waiting, documentName: string, verdict: Allowed): void {
    const { gate } = this.#options
    clearTimeout(this.#authTimer)
    this.#authTimer = undefined
    const connection = new Connection(this.#socket, this, address, true, verdict)
    this.#documents.set(address.key, connection)
    connection.send([encodeAuthenticated(verdict.canEdit)])
    if (!enterRoom(gate, documentName, connection, verdict)) return this.#refuse({ address, messages }, closes.tooMany)
    this.#waitingMessages = 0
    this.#waitingBytes = 0
    for (const message of messages) {
      if (message.type === 'close') return this.#leave(connection)
      if (message.type !== 'auth') connection.receive(message)
    }
  }

  #refuse ({ address }: Waiting, reason: CloseReason): void {
    this.#forget(address)
    this.#socket.write(framesOf(address, [isPermissionDenied(reason) ? encodeHocuspocusDenied(reason.reason) : encodeCloseMessage(reason.reason)]))
    if (this.#isOver(reason.code)) this.#close(reason)
  }

  #leave (connection: Connection): void {
    connection.leave()
    leaveRoom(this.#options.gate, connection)
    this.#forget(connection.address)
  }

  #forget (address: Address): void {
    this.#documents.delete(address.key)
    if (this.#documents.size === 0 && !this.#isClosed) this.#authTimer ??= setTimeout(() => { this.#close(closes.silent) }, emptyTimeoutMs)
  }

  /** A socket that is for one document ends with it; one for many only where the reason concerns all of them. */
  #isOver (code: number): boolean {
    return !isAboutOneDocument(code) || (this.#options.room !== undefined && this.#documents.size === 0)
  }

  #close (reason: CloseReason): void {
    this.#left()
    this.#socket.close(reason)
  }

  #left (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#authTimer)
    for (const document of [...this.#documents.values()]) if (document instanceof Connection) this.#leave(document)
    this.#documents.clear()
  }
}

/** Such a verdict leaves the other documents of the socket alone. All else is about the socket, or wants it opened anew. */
function isAboutOneDocument (code: number): boolean {
  return code === closes.ticketInvalid.code || code === closes.forbidden.code || code === closes.deleted.code ||
    code === closes.tooLarge.code || code === closes.damaged.code
}
