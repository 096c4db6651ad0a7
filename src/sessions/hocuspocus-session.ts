import type { RawData, WebSocket } from 'ws'
import type { Allowed, Denied, Verdict } from '../access/verdict.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { decodeHocuspocus, type AddressedMessage } from '../protocol/decode-message.ts'
import {
  encodeAuthenticated, encodeAwarenessQuery, encodeCloseMessage, encodeHocuspocusDenied, encodePong,
} from '../protocol/encode-message.ts'
import { framesOf, hocuspocusAddress, noAddress, type Address } from '../protocol/frame.ts'
import { messageType, type ClientMessage } from '../protocol/message.ts'
import type { Requester, Subject } from '../logging/refusals.ts'
import { Connection, type Session } from '../sync/connection.ts'
import { enterRoom, isAboutOneDocument, isPermissionDenied, leaveRoom, refusal, type Gate } from './gate.ts'
import { hocuspocusProtocol } from './hocuspocus-protocol.ts'
import { Probation } from './probation.ts'
import { RateLimit } from './rate-limit.ts'
import { RefusedDocuments } from './refused-documents.ts'
import { renewAccess } from './renewal.ts'
import type { RoomSocket } from './room-sockets.ts'
import { SocketDocuments, type SocketDocument } from './socket-documents.ts'
import { WaitingDocument } from './waiting-document.ts'
import { WsSocket } from './web-socket.ts'

/**
 * Longer tokens, in characters, are not kept. A ticket from Django has about 300, and one is kept for each document of
 * a socket.
 */
const maxTokenLength = 4096

const otherRoom: CloseReason =
  { ...closes.forbidden, rule: 'otherRoom', reason: 'The document is not the one this socket is for' }
const badName: CloseReason =
  { ...closes.forbidden, rule: 'roomName', reason: 'The name of the document is not allowed' }

/** The handshake of a socket, and the check of its further credentials. */
export interface HocuspocusSessionOptions {
  readonly gate: Gate
  readonly requester: Requester
  /** The one document that the address of the socket allows; undefined = any */
  readonly room: string | undefined
  /** The user of the handshake; undefined = not known */
  readonly userId: string | undefined
  /** Judges the opening of a document. `token` is empty if the client has sent none. */
  authorise (documentName: string, token: string): Promise<Verdict>
  isRoomName (name: string): boolean
}

/** The subject of a refusal, and the token that was refused */
interface Judged extends Subject { readonly token?: string | undefined }

/** One Hocuspocus client: a socket that carries one document or many, each authorised independently. */
export class HocuspocusSession implements Session, RoomSocket {
  readonly #options: HocuspocusSessionOptions
  readonly #socket: WsSocket
  readonly #rate: RateLimit
  readonly #probation: Probation
  /** Documents that the client has left, and can still send messages about, included */
  readonly #documents = new SocketDocuments((bytes) => { this.#socket.keepWaiting(bytes) })
  /** The latest token of each connection */
  readonly #tokens = new WeakMap<Connection, string>()
  readonly #refused: RefusedDocuments
  /** False once the client sends step 1 before any Auth: it can be provider 2, which throws on a Close message. */
  #understandsClose = true
  #isClosed = false

  constructor (ws: WebSocket, options: HocuspocusSessionOptions) {
    const { gate } = options
    this.#options = options
    this.#socket = new WsSocket(ws, gate, (reason) => { this.#report(reason) })
    this.#rate = new RateLimit(gate.rates, gate.now())
    this.#probation = new Probation(gate, options.requester.address, (reason) => { this.#close(reason) })
    this.#refused = new RefusedDocuments(this, gate.roomSockets)
    this.#awaitDocument()
    if (options.room !== undefined) gate.roomSockets.add(options.room, this)
    ws.on('message', (data, isBinary) => { this.#receive(data, isBinary) })
    ws.on('ping', (data) => { this.#receivePing(data) })
    ws.on('pong', () => { this.#socket.heard() })
    ws.on('close', (code) => { this.#left(code) })
  }

  /** Whether the client can edit any document on the socket. */
  get canEdit (): boolean { return this.#documents.connections.some(({ canEdit }) => canEdit) }

  get userId (): string | undefined { return this.#documents.connections[0]?.userId }

  // ---- for the engine and resets

  /** The engine has ended the connection of one document, which is reported to its provider. */
  ended (connection: Connection, reason: CloseReason): void {
    leaveRoom(this.#options.gate, connection, reason.code)
    this.#documents.delete(connection)
    this.#refused.add(connection.address.key, connection.room?.name, connection.userId)
    this.#sendReason(connection.address, reason)
    if (reason.code === closes.reset.code) this.#sendReasonToAll(reason)
    const judged = { room: connection.room?.name, user: connection.userId, token: this.#tokens.get(connection) }
    this.#closeOrStay(reason, judged)
  }

  /**
   * Closes a socket that a reset of connections does not reach: it can hold no document now, and open one with the
   * credentials of its handshake.
   */
  reset (room: string, userId: string | undefined): boolean {
    const isJudgedFor = room === this.#options.room && (userId === undefined || userId === this.#options.userId)
    if (this.#isClosed || !(isJudgedFor || this.#refused.isReset(room, userId))) return false
    this.#sendReasonToAll(closes.reset)
    this.#close(closes.reset)
    return true
  }

  /** Every provider on the socket must reconnect, and gets the reason. */
  #sendReasonToAll (reason: CloseReason): void {
    for (const document of this.#documents.all) if (!isLeft(document)) this.#sendReason(document.address, reason)
  }

  /** The engine calls this once the updates before the ticket have been processed. */
  async renew (connection: Connection, ticket: string): Promise<void> {
    if (await renewAccess(this.#options.gate, connection, ticket)) this.#keepToken(connection, ticket)
  }

  // ---- from the client

  #receivePing (data: Buffer): void {
    if (this.#isClosed) return
    this.#socket.heard()
    if (this.#rate.take(data.length, this.#socket.heardAt)) this.#socket.pong(data)
    else this.#close(closes.tooMany)
  }

  #receive (data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    const discarded = this.#socket.received()
    // The binaryType of the socket is nodebuffer.
    const frame = data as Buffer
    if (!this.#rate.take(Math.max(frame.length, discarded), this.#socket.heardAt)) return this.#close(closes.tooMany)
    if (!isBinary) return this.#close(closes.textFrame)
    if (discarded > 0) return this.#receiveDiscarded()
    if (frame.length === 1) return this.#receiveBare(frame[0])
    let addressed: AddressedMessage
    try {
      addressed = decodeHocuspocus(frame)
    } catch {
      return this.#close(closes.malformed)
    }
    this.#dispatch(addressed, frame)
  }

  /** The document of the message is unknown; the client could edit none. */
  #receiveDiscarded (): void {
    for (const connection of this.#documents.connections) connection.receive({ type: 'discarded' })
  }

  /** Ping and Pong concern the socket and have no address. */
  #receiveBare (type: number | undefined): void {
    if (type === messageType.ping) {
      if (this.#socket.isRead) this.#socket.write(framesOf(noAddress, [encodePong()]))
    } else if (type !== messageType.pong) this.#close(closes.malformed)
  }

  #dispatch ({ address, documentName, message }: AddressedMessage, frame: Uint8Array): void {
    const document = this.#documents.get(address)
    if (message.type === 'close') this.#closedByClient(address, document)
    else if (document instanceof Connection) this.#handOn(document, message)
    else if (document?.isLeft === true) this.#returned(document, message, frame)
    else if (document !== undefined) this.#wait(document, message, frame)
    else if (message.type === 'auth' || !this.#refused.has(address)) this.#expect(address, documentName, message, frame)
  }

  #handOn (connection: Connection, message: ClientMessage): void {
    if (message.type === 'ping') connection.send([encodePong()])
    // A provider that was attached again without leaving waits for this answer.
    else if (message.type === 'auth' && this.#isKnown(connection, message.token)) {
      connection.send([encodeAuthenticated(connection.canEdit)])
    } else connection.receive(message)
  }

  #isKnown (connection: Connection, token: string): boolean {
    return token === '' || token === this.#tokens.get(connection)
  }

  #keepToken (connection: Connection, token: string): void {
    if (token.length <= maxTokenLength) this.#tokens.set(connection, token)
    else this.#tokens.delete(connection)
  }

  #closedByClient (address: string, document: SocketDocument | undefined): void {
    this.#refused.delete(address)
    if (document === undefined || isLeft(document)) return
    if (document instanceof Connection) this.#leaveAndListen(document)
    else if (document.isBeingJudged) {
      document.leave()
      // Judging it continues, and delays other clients: leaving before each verdict counts like a refusal.
      if (!this.#probation.countRefusal()) return this.#close(closes.tooMany)
    } else this.#documents.stopWaiting(document)
    this.#awaitDocument()
  }

  /**
   * Leaves a document, and asks whether a provider is attached to it all the same. A provider that is destroyed before
   * the socket is open queues its Close after the first messages of the next provider of the same document, which then
   * receives nothing more and does not know why.
   */
  #leaveAndListen (connection: Connection): void {
    const { address, room } = connection
    this.#leave(connection, undefined)
    const token = this.#tokens.get(connection)
    if (room === undefined || token === undefined) return
    const left = new WaitingDocument(address, room.name, token)
    left.leave()
    this.#documents.set(left)
    this.#queryPresence(left)
  }

  /** A message about a document that was left: Auth opens it again, anything else shows that it should be open. */
  #returned (left: WaitingDocument, message: ClientMessage, frame: Uint8Array): void {
    if (message.type === 'auth') {
      this.#documents.stopWaiting(left)
      return this.#expect(left.address.key, left.documentName, message, frame)
    }
    left.return()
    this.#keep(left, frame)
    if (!left.isBeingJudged && !this.#isClosed) this.#judge(left, left.token)
  }

  // ---- documents that are not open

  /** The first message about a document. */
  #expect (name: string, documentName: string, message: ClientMessage, frame: Uint8Array): void {
    const { room, isRoomName } = this.#options
    if (!this.#documents.makeRoom()) return this.#close(closes.tooMany)
    const waiting = new WaitingDocument(hocuspocusAddress(name), documentName)
    if (room !== undefined && room !== documentName) return this.#refuse(waiting, otherRoom)
    if (!isRoomName(documentName)) return this.#refuse(waiting, badName)
    this.#refused.delete(name)
    this.#documents.set(waiting)
    this.#wait(waiting, message, frame)
  }

  /**
   * Keeps messages that arrive before the verdict, another token among them. Providers send Auth before step 1, or none
   * if they have no token: then the socket's own credentials decide. Updates can arrive first, typed while the page was
   * fetching its ticket.
   */
  #wait (waiting: WaitingDocument, message: ClientMessage, frame: Uint8Array): void {
    if (message.type !== 'auth' || (waiting.isBeingJudged && message.token !== waiting.token)) this.#keep(waiting, frame)
    if (waiting.isBeingJudged || this.#isClosed) return
    if (message.type === 'auth') this.#judge(waiting, message.token)
    else if (message.type === 'sync-step-1') {
      this.#understandsClose = false
      this.#judge(waiting, '')
    }
  }

  #keep (waiting: WaitingDocument, frame: Uint8Array): void {
    if (!this.#documents.keep(waiting, frame)) this.#close(closes.tooMany)
  }

  #judge (waiting: WaitingDocument, token: string): void {
    waiting.judging(token)
    this.#probation.pause()
    this.#probation.judge(async () => await this.#options.authorise(waiting.documentName, token))
      .then((verdict) => { this.#judged(waiting, verdict) })
      .catch((err: unknown) => {
        this.#options.gate.logger.error({ err, room: waiting.documentName }, 'Failed to open a document for a client')
        this.#close(closes.unavailable)
      })
  }

  #judged (waiting: WaitingDocument, verdict: Verdict): void {
    // The client can have left the document meanwhile, and opened it again.
    if (this.#documents.get(waiting.address.key) !== waiting) return
    waiting.judged()
    if (waiting.isLeft && verdict.allowed) {
      this.#queryPresence(waiting)
      return this.#awaitDocument()
    }
    this.#documents.stopWaiting(waiting)
    // A document that was left can have no provider to refuse, while other documents are on the socket.
    if (waiting.isLeft && !verdict.allowed && verdict.permanent) this.#denyLeft(waiting, verdict)
    else if (verdict.allowed) this.#admit(waiting, verdict)
    else this.#refuse(waiting, refusal(verdict))
  }

  /** Every attached provider answers this, whether it was admitted or not. */
  #queryPresence ({ address }: WaitingDocument): void {
    this.#socket.write(framesOf(address, [encodeAwarenessQuery()]))
  }

  #denyLeft ({ address, documentName, token }: WaitingDocument, verdict: Denied): void {
    this.#refused.add(address.key, documentName, undefined)
    this.#sendReason(address, refusal(verdict))
    this.#report(verdict, { room: documentName, token })
    this.#awaitDocument()
  }

  #admit (waiting: WaitingDocument, verdict: Allowed): void {
    const { address, documentName, token } = waiting
    const protocol = hocuspocusProtocol
    const connection = new Connection({ socket: this.#socket, session: this, protocol, address, member: verdict })
    this.#documents.set(connection)
    this.#keepToken(connection, token)
    this.#probation.letIn()
    const first = [encodeAuthenticated(verdict.canEdit)]
    const refused = enterRoom(this.#options.gate, documentName, connection, verdict, first)
    if (refused !== undefined) {
      this.#documents.delete(connection)
      return this.#close(refused, { room: documentName, user: verdict.userId, token })
    }
    this.#socket.letIn(this)
    for (const message of waiting.messages()) {
      if (isOver(connection)) return
      this.#handOn(connection, message)
    }
  }

  // ---- refusals and ends

  #refuse ({ address, documentName, token }: WaitingDocument, reason: CloseReason): void {
    this.#refused.add(address.key, documentName, undefined)
    // Providers take any message for a success and reset their backoff. A temporary refusal therefore sends nothing
    // and closes the socket.
    if (isPermissionDenied(reason)) this.#sendReason(address, reason)
    if (this.#probation.countRefusal()) this.#closeOrStay(reason, { room: documentName, token })
    else this.#close(closes.tooMany)
  }

  #report (reason: CloseReason, judged: Judged = this.#handshake): void {
    const { token = '', ...subject } = judged
    const { gate, requester } = this.#options
    const withTicket: Requester = { ...requester, credentials: [...requester.credentials, 'ticket'] }
    gate.refusals.report(reason, token === '' ? requester : withTicket, subject)
  }

  get #handshake (): Judged { return { room: this.#options.room, user: this.userId ?? this.#options.userId } }

  #sendReason (address: Address, reason: CloseReason): void {
    const mustDeny = isPermissionDenied(reason) || (!this.#understandsClose && isAboutOneDocument(reason))
    if (!mustDeny && !this.#understandsClose) return
    const message = mustDeny ? encodeHocuspocusDenied(reason.reason) : encodeCloseMessage(reason.reason)
    this.#socket.write(framesOf(address, [message]))
  }

  /**
   * Providers 3 and 4 reconnect a second after every close, whatever its code. After a refusal the socket therefore
   * stays open, even without a document: they retry after 30 s without a message, or when a reset closes the socket.
   */
  #closeOrStay (reason: CloseReason, judged: Judged): void {
    const isForOneRoom = this.#options.room !== undefined
    const endsWithLast = reason.code === closes.noCookies.code || (isForOneRoom && !isPermissionDenied(reason))
    if (!isAboutOneDocument(reason) || (this.#documents.areLeft && endsWithLast)) return this.#close(reason, judged)
    this.#report(reason, judged)
    this.#awaitDocument()
  }

  #leave (connection: Connection, code: number | undefined): void {
    this.#documents.delete(connection)
    connection.leave()
    leaveRoom(this.#options.gate, connection, code)
  }

  #awaitDocument (): void {
    if (this.#documents.areIdle) this.#probation.awaitDocument(this.#refused.size > 0)
  }

  #close (reason: CloseReason, judged?: Judged): void {
    if (this.#isClosed) return
    this.#report(reason, judged)
    this.#left(reason.code)
    this.#socket.close(reason)
  }

  #left (code: number): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#probation.end()
    this.#refused.clear()
    const { gate, room } = this.#options
    if (room !== undefined) gate.roomSockets.delete(room, this)
    for (const connection of this.#documents.connections) this.#leave(connection, code)
    this.#documents.clear()
  }
}

const isLeft = (document: SocketDocument): boolean => document instanceof WaitingDocument && document.isLeft

/** A function, because TypeScript believes that the phase cannot change between two reads. */
const isOver = (connection: Connection): boolean => connection.phase === 'ended'
