import type { RawData, WebSocket } from 'ws'
import type { Allowed, Denied, Verdict } from '../access/verdict.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { decodeHocuspocus, type AddressedMessage } from '../protocol/decode-message.ts'
import { encodeAuthenticated, encodeAwarenessQuestion, encodeCloseMessage, encodeHocuspocusDenied, encodePong } from '../protocol/encode-message.ts'
import { framesOf, hocuspocusAddress, noAddress, type Address } from '../protocol/frame.ts'
import { messageType, type ClientMessage } from '../protocol/message.ts'
import type { Requester, Subject } from '../logging/refusals.ts'
import { Connection, type Session } from '../sync/connection.ts'
import { enterRoom, isAboutOneDocument, isPermissionDenied, leaveRoom, refusal, type Gate } from './gate.ts'
import { maxStrangerBytes } from './inbound.ts'
import { Probation } from './probation.ts'
import { RateLimit } from './rate-limit.ts'
import { RefusedDocuments } from './refused-documents.ts'
import { renewAccess } from './renewal.ts'
import type { RoomSocket } from './room-sockets.ts'
import { WaitingDocument } from './waiting-document.ts'
import { WsSocket } from './web-socket.ts'

/** What may wait on one socket for verdicts; a client that has not been let in must not fill the memory. */
const maxWaitingMessages = 500
const maxWaitingBytes = 2 * maxStrangerBytes
/** Longer tokens are not kept. Django's tickets take some 300 characters, and one is kept for each document of a socket. */
const maxTokenLength = 4096
/** Documents on one socket, let in or not */
const maxDocuments = 200

const otherRoom: CloseReason = { ...closes.forbidden, rule: 'otherRoom', reason: 'The document is not the one this socket is for' }
const badName: CloseReason = { ...closes.forbidden, rule: 'roomName', reason: 'The name of the document is not allowed' }

export interface HocuspocusSessionOptions {
  readonly gate: Gate
  readonly requester: Requester
  /** The one document that the address of the socket allows; undefined = any */
  readonly room: string | undefined
  /** Whom the handshake was judged for; undefined = nobody that is known */
  readonly userId: string | undefined
  /** Judges the opening of a document. `token` is empty where the client has sent none. */
  authorise (documentName: string, token: string): Promise<Verdict>
  isRoomName (name: string): boolean
}

/** The subject of a refusal, and the token that was refused */
interface Judged extends Subject { readonly token?: string | undefined }

/** One Hocuspocus client: a socket that carries one document or many, each authorised by itself. */
export class HocuspocusSession implements Session, RoomSocket {
  readonly #options: HocuspocusSessionOptions
  readonly #socket: WsSocket
  readonly #rate: RateLimit
  readonly #probation: Probation
  /** By address; those that the client has left, and may still speak about, included */
  readonly #documents = new Map<string, Connection | WaitingDocument>()
  /** The latest token of each connection */
  readonly #tokens = new WeakMap<Connection, string>()
  readonly #refused: RefusedDocuments
  /** Provider 2 throws at a Close message. It can be told from later ones where it has no token: then it sends no Auth. */
  #understandsClose = true
  #waitingMessages = 0
  #waitingBytes = 0
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

  /** Whether the client may edit any document on the socket */
  get canEdit (): boolean { return this.#connections().some(({ canEdit }) => canEdit) }

  get userId (): string | undefined { return this.#connections()[0]?.userId }

  #connections (): Connection[] {
    return [...this.#documents.values()].filter((document) => document instanceof Connection)
  }

  /** The engine has ended one document's connection. The provider hears it in its own words first. */
  ended (connection: Connection, reason: CloseReason): void {
    leaveRoom(this.#options.gate, connection, reason.code)
    this.#documents.delete(connection.address.key)
    this.#refused.add(connection.address.key, connection.room?.name, connection.userId)
    this.#tell(connection.address, reason)
    if (reason.code === closes.reset.code) this.#tellAll(reason)
    this.#closeOrStay(reason, { room: connection.room?.name, user: connection.userId, token: this.#tokens.get(connection) })
  }

  /** What a reset of connections does not reach: the socket may hold no document now, and open one by what its handshake said. */
  reset (room: string, userId: string | undefined): boolean {
    const isJudgedFor = room === this.#options.room && (userId === undefined || userId === this.#options.userId)
    if (this.#isClosed || !(isJudgedFor || this.#refused.isReset(room, userId))) return false
    this.#tellAll(closes.reset)
    this.#close(closes.reset)
    return true
  }

  /** Every document of the socket has to come back then, and its provider is told so. */
  #tellAll (reason: CloseReason): void {
    for (const document of this.#documents.values()) if (!isLeft(document)) this.#tell(document.address, reason)
  }

  #receivePing (data: Buffer): void {
    if (this.#isClosed) return
    this.#socket.heard()
    if (this.#rate.take(data.length, this.#socket.heardAt)) this.#socket.pong(data)
    else this.#close(closes.tooMany)
  }

  #receive (data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    const discarded = this.#socket.received()
    // binaryType is left at nodebuffer, so that what comes is a Buffer.
    const frame = data as Buffer
    if (!this.#rate.take(Math.max(frame.length, discarded), this.#socket.heardAt)) return this.#close(closes.tooMany)
    if (!isBinary) return this.#close(closes.textFrame)
    if (discarded > 0) return this.#refuseDiscarded()
    if (frame.length === 1) return this.#receiveBare(frame[0])
    let addressed: AddressedMessage
    try {
      addressed = decodeHocuspocus(frame)
    } catch {
      return this.#close(closes.malformed)
    }
    this.#dispatch(addressed, frame)
  }

  /** Its document is unknown; its client could edit none of them. */
  #refuseDiscarded (): void {
    for (const connection of this.#connections()) connection.refuseDiscarded()
  }

  /** Ping and Pong are about the socket and stand alone, without a document's name. */
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
    // A provider that has been attached again without leaving waits for this answer.
    else if (message.type === 'auth' && this.#isKnown(connection, message.token)) connection.send([encodeAuthenticated(connection.canEdit)])
    else connection.receive(message)
  }

  #isKnown (connection: Connection, token: string): boolean {
    return token === '' || token === this.#tokens.get(connection)
  }

  renew (connection: Connection, ticket: string): void {
    renewAccess(this.#options.gate, connection, ticket, () => {
      this.#keepToken(connection, ticket)
      connection.send([encodeAuthenticated(connection.canEdit)])
    })
  }

  #keepToken (connection: Connection, token: string): void {
    if (token.length <= maxTokenLength) this.#tokens.set(connection, token)
    else this.#tokens.delete(connection)
  }

  #closedByClient (key: string, document: Connection | WaitingDocument | undefined): void {
    this.#refused.delete(key)
    if (document === undefined || isLeft(document)) return
    if (document instanceof Connection) this.#keepLeft(document)
    else if (document.isAsked) {
      document.isLeft = true
      // The question goes on, and somebody else's waits behind it: leaving before each answer counts like a refusal.
      if (!this.#probation.countRefusal()) return this.#close(closes.tooMany)
    } else this.#stopWaiting(document)
    this.#awaitDocument()
  }

  /**
   * Leaves a document, and asks whether a provider is attached to it all the same. Providers queue the Close of one that was
   * destroyed before the socket was open, and send it behind the first messages of the next one for the same document,
   * which then hears nothing more and does not know it.
   */
  #keepLeft (connection: Connection): void {
    const { address, room } = connection
    this.#leave(connection, undefined)
    const token = this.#tokens.get(connection)
    if (room === undefined || token === undefined) return
    const left = new WaitingDocument(address, room.name, token)
    left.isLeft = true
    this.#documents.set(address.key, left)
    this.#askWhoIsThere(left)
  }

  /** A message about a document that was left: with Auth it is opened anew, with anything else it should not have been left. */
  #returned (left: WaitingDocument, message: ClientMessage, frame: Uint8Array): void {
    if (message.type === 'auth') {
      this.#stopWaiting(left)
      return this.#expect(left.address.key, left.documentName, message, frame)
    }
    left.isLeft = false
    left.hasReturned = true
    this.#keep(left, frame)
    if (!left.isAsked && !this.#isClosed) this.#ask(left, left.token)
  }

  /** The first message about a document. */
  #expect (name: string, documentName: string, message: ClientMessage, frame: Uint8Array): void {
    const { room, isRoomName } = this.#options
    if (this.#documents.size >= maxDocuments && !this.#forgetLeft()) return this.#close(closes.tooMany)
    const waiting = new WaitingDocument(hocuspocusAddress(name), documentName)
    if (room !== undefined && room !== documentName) return this.#refuse(waiting, otherRoom)
    if (!isRoomName(documentName)) return this.#refuse(waiting, badName)
    this.#refused.delete(name)
    this.#documents.set(name, waiting)
    this.#wait(waiting, message, frame)
  }

  /**
   * Keeps messages that arrive before the verdict, another token among them. Providers send Auth before step 1, or none
   * if they have no token: then the socket's own credentials decide. Updates can arrive first, typed while the page was
   * fetching its ticket.
   */
  #wait (waiting: WaitingDocument, message: ClientMessage, frame: Uint8Array): void {
    if (message.type !== 'auth' || (waiting.isAsked && message.token !== waiting.token)) this.#keep(waiting, frame)
    if (waiting.isAsked || this.#isClosed) return
    if (message.type === 'auth') this.#ask(waiting, message.token)
    else if (message.type === 'sync-step-1') {
      this.#understandsClose = false
      this.#ask(waiting, '')
    }
  }

  #keep (waiting: WaitingDocument, frame: Uint8Array): void {
    waiting.add(frame)
    this.#waitingMessages++
    this.#waitingBytes += frame.length
    this.#socket.keepWaiting(this.#waitingBytes)
    if (this.#waitingMessages > maxWaitingMessages || this.#waitingBytes > maxWaitingBytes) this.#close(closes.tooMany)
  }

  #stopWaiting ({ address, frameCount, bytes }: WaitingDocument): void {
    this.#documents.delete(address.key)
    this.#waitingMessages -= frameCount
    this.#waitingBytes -= bytes
    this.#socket.keepWaiting(this.#waitingBytes)
  }

  /** Forgets the document that was left first. @returns whether there was one */
  #forgetLeft (): boolean {
    for (const document of this.#documents.values()) {
      if (document instanceof Connection || !document.isLeft || document.isAsked) continue
      this.#stopWaiting(document)
      return true
    }
    return false
  }

  #ask (waiting: WaitingDocument, token: string): void {
    waiting.isAsked = true
    waiting.token = token
    this.#probation.pause()
    this.#probation.ask(async () => await this.#options.authorise(waiting.documentName, token))
      .then((verdict) => { this.#judged(waiting, verdict) })
      .catch((error: unknown) => {
        this.#options.gate.logger.error({ err: error, room: waiting.documentName }, 'A document could not be opened for a client')
        this.#close(closes.unavailable)
      })
  }

  #judged (waiting: WaitingDocument, verdict: Verdict): void {
    // The client may have left the document meanwhile, and opened it again.
    if (this.#documents.get(waiting.address.key) !== waiting) return
    waiting.isAsked = false
    if (waiting.isLeft && verdict.allowed) {
      this.#askWhoIsThere(waiting)
      return this.#awaitDocument()
    }
    this.#stopWaiting(waiting)
    // Perhaps nobody is there to hear it, and others are on the socket.
    if (waiting.isLeft && !verdict.allowed && verdict.permanent) this.#denyLeft(waiting, verdict)
    else if (verdict.allowed) this.#admit(waiting, verdict)
    else this.#refuse(waiting, refusal(verdict))
  }

  /** Every provider that is attached answers this, whether it was let in or not. */
  #askWhoIsThere ({ address }: WaitingDocument): void {
    this.#socket.write(framesOf(address, [encodeAwarenessQuestion()]))
  }

  #denyLeft ({ address, documentName, token }: WaitingDocument, verdict: Denied): void {
    this.#refused.add(address.key, documentName, undefined)
    this.#tell(address, refusal(verdict))
    this.#report(verdict, { room: documentName, token })
    this.#awaitDocument()
  }

  #admit (waiting: WaitingDocument, verdict: Allowed): void {
    const { address, documentName, token } = waiting
    const connection = new Connection(this.#socket, this, address, true, verdict)
    this.#documents.set(address.key, connection)
    this.#keepToken(connection, token)
    this.#probation.letIn()
    const refused = enterRoom(this.#options.gate, documentName, connection, verdict, [encodeAuthenticated(verdict.canEdit)])
    if (refused !== undefined) {
      this.#documents.delete(address.key)
      return this.#close(refused, { room: documentName, user: verdict.userId, token })
    }
    this.#socket.letIn(this)
    for (const message of waiting.messages()) {
      if (isOver(connection)) return
      this.#handOn(connection, message)
    }
  }

  #refuse ({ address, documentName, token }: WaitingDocument, reason: CloseReason): void {
    this.#refused.add(address.key, documentName, undefined)
    // Providers take any message for a sign that all is well and forget how long to wait before the next try. So what is
    // to be tried again says so by the socket's end alone.
    if (isPermissionDenied(reason)) this.#tell(address, reason)
    if (this.#probation.countRefusal()) this.#closeOrStay(reason, { room: documentName, token })
    else this.#close(closes.tooMany)
  }

  #report (reason: CloseReason, { token = '', ...subject }: Judged = { room: this.#options.room, user: this.userId ?? this.#options.userId }): void {
    const { gate, requester } = this.#options
    gate.refusals.report(reason, token === '' ? requester : { ...requester, credentials: [...requester.credentials, 'ticket'] }, subject)
  }

  #tell (address: Address, reason: CloseReason): void {
    const mustDeny = isPermissionDenied(reason) || (!this.#understandsClose && isAboutOneDocument(reason))
    if (!mustDeny && !this.#understandsClose) return
    this.#socket.write(framesOf(address, [mustDeny ? encodeHocuspocusDenied(reason.reason) : encodeCloseMessage(reason.reason)]))
  }

  /**
   * Providers 3 and 4 reconnect a second after every close, whatever its code. After a refusal the socket therefore stays
   * open, even without a document: they retry after 30 s without a message, or when a reset closes the socket.
   */
  #closeOrStay (reason: CloseReason, judged: Judged): void {
    const isEmpty = [...this.#documents.values()].every(isLeft)
    const endsWithLast = reason.code === closes.noCookies.code || (this.#options.room !== undefined && !isPermissionDenied(reason))
    if (!isAboutOneDocument(reason) || (isEmpty && endsWithLast)) return this.#close(reason, judged)
    this.#report(reason, judged)
    this.#awaitDocument()
  }

  #leave (connection: Connection, code: number | undefined): void {
    this.#documents.delete(connection.address.key)
    connection.leave()
    leaveRoom(this.#options.gate, connection, code)
  }

  #awaitDocument (): void {
    for (const document of this.#documents.values()) if (document instanceof Connection || document.isAsked) return
    this.#probation.awaitDocument(this.#refused.size > 0)
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
    for (const document of [...this.#documents.values()]) {
      if (document instanceof Connection) this.#leave(document, code)
      else document.forget()
    }
    this.#documents.clear()
  }
}

const isLeft = (document: Connection | WaitingDocument): boolean => document instanceof WaitingDocument && document.isLeft

/** A function, because the phase changes under whoever has just looked at it. */
const isOver = (connection: Connection): boolean => connection.phase === 'ended'
