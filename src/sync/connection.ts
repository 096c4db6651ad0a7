import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { encodeStoredAnswer } from '../protocol/encode-message.ts'
import type { Address } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'
import { SyncProgress } from './join/sync-progress.ts'
import type { StateSender } from './presence/awareness-table.ts'
import { personOf } from './presence/claim.ts'
import type { UpdateSender } from './save/recent-update.ts'
import type { Socket } from './socket.ts'
import { SharedFrames } from './tick/shared-frames.ts'
import type { WireProtocol } from './wire-protocol.ts'

/** The user of a connection and what they can do, as an authorisation has found. */
export interface Member {
  readonly userId?: string | undefined
  readonly sessionKey?: string | undefined
  readonly canEdit: boolean
}

/** The session of a connection: it owns the socket, which can carry other documents, and authorises the client. */
export interface Session {
  /** The engine has ended the connection. */
  ended (connection: Connection, reason: CloseReason): void
  /**
   * Judges another ticket of the client. Everything before it has been processed; messages after it wait until the
   * promise settles.
   */
  renew (connection: Connection, ticket: string): Promise<void>
}

/** A room as its connections see it. */
export interface EnteredRoom {
  readonly name: string
  /** Processes a message of the connection's client. */
  receive (connection: Connection, message: ClientMessage): void
  /** Asks the client for the updates that the room lacks. */
  sendStep1 (connection: Connection): void
  /** The connection has ended. */
  remove (connection: Connection): void
}

/** The two ends of a connection: the client's socket, protocol and access, and the session that owns them. */
export interface ConnectionOptions {
  readonly socket: Socket
  readonly session: Session
  readonly protocol: WireProtocol
  readonly address: Address
  readonly member: Member
}

/**
 * - `joining`: the room is being opened, or the client has not sent its state vector yet
 * - `catching-up`: the state is being sent, or the socket is full; document updates wait
 * - `live`: gets every tick
 * - `ended`
 */
export type Phase = 'joining' | 'catching-up' | 'live' | 'ended'

/** ms without progress after which a socket with buffered bytes is closed: live editing is useless at that speed. */
const stalledMs = 45_000
/** A write counts once all of it is taken: a slow link (1 Mbit/s) gets additional time for its bytes. */
const leastBytesPerMs = 125

/** Bytes of the header of a WebSocket frame from a server (RFC 6455, section 5.2), at most */
const maxHeaderBytes = 10

/** Unanswered questions of one connection about what is stored; an editor asks once or twice a second. */
const maxStoredQuestions = 10_000

/** Connections that this process has opened so far. */
let opened = 0

/** One client in one room: a whole y-websocket socket, or one document on a Hocuspocus socket. */
export class Connection implements StateSender, UpdateSender {
  readonly socket: Socket
  readonly session: Session
  readonly protocol: WireProtocol
  readonly address: Address
  /** Engine time in ms */
  readonly joinedAt: number
  /** ms since the epoch when it was opened */
  readonly openedAt = Date.now()
  /** Its place among all connections that this process has opened */
  readonly number = ++opened
  /** Whether the client is sent a message for each of its updates that is stored */
  readonly wantsAcknowledgements: boolean
  readonly progress = new SyncProgress()
  #phase: Phase = 'joining'
  #room: EnteredRoom | undefined
  /** Messages that wait until the one before them has been processed; undefined: nothing holds them */
  #inbox: ClientMessage[] | undefined
  #wasSentAway = false
  #wasRefused = false
  #storedQuestions = 0
  /** Engine time in ms of the last step 1 after the initial sync that the client has not answered yet */
  #step1SentAt: number | undefined
  #userId: string | undefined
  #sessionKey: string | undefined
  #canEdit: boolean
  #person: string | undefined
  #holdsSocket = false
  /** Engine time in ms since when the socket has taken nothing, and the bytes that it had taken by then */
  #stalledSince: number | undefined
  #takenThen = 0

  constructor ({ socket, session, protocol, address, member }: ConnectionOptions) {
    this.socket = socket
    this.joinedAt = socket.heardAt
    this.session = session
    this.protocol = protocol
    this.wantsAcknowledgements = protocol.acknowledgement(true) !== undefined
    this.address = address
    this.#userId = member.userId
    this.#sessionKey = member.sessionKey
    this.#canEdit = member.canEdit
  }

  get phase (): Phase { return this.#phase }
  get room (): EnteredRoom | undefined { return this.#room }
  get userId (): string | undefined { return this.#userId }
  get sessionKey (): string | undefined { return this.#sessionKey }
  get canEdit (): boolean { return this.#canEdit }
  /** Whether the engine has ended the connection; messages of its client that still wait are dropped then. */
  get wasSentAway (): boolean { return this.#wasSentAway }

  /** See `personOf` */
  get person (): string {
    this.#person ??= personOf(this.#userId, this.#sessionKey)
    return this.#person
  }

  // ---- its room and its rights

  /** The connection is in a room from now on. */
  enter (room: EnteredRoom): void { this.#room = room }

  /** Applies another verdict. A client that can edit now is asked for the updates that were refused before. */
  takeOver ({ userId, sessionKey = this.#sessionKey, canEdit }: Member): void {
    const canEditNow = canEdit && !this.#canEdit
    // The same user in another session stays the same person, who keeps their client ids.
    if (userId !== this.#userId) this.#person = undefined
    this.#userId = userId
    this.#sessionKey = sessionKey
    this.#canEdit = canEdit
    // A client that is still joining is asked in any case.
    if (canEditNow && this.#wasRefused && this.#phase !== 'joining' && this.#phase !== 'ended') this.#room?.sendStep1(this)
  }

  /** Document updates wait until the client has caught up. */
  startCatchUp (): void { if (this.#phase !== 'ended') this.#phase = 'catching-up' }

  /** The client gets every tick from now on. */
  goLive (): void { if (this.#phase !== 'ended') this.#phase = 'live' }

  // ---- messages from the client

  /** Hands a client's message to the room, or keeps it until the messages before it have been processed. */
  receive (message: ClientMessage): void {
    // The message before this one can be the one that ended the connection.
    if (this.#phase !== 'ended') this.#handOn(message)
  }

  #handOn (message: ClientMessage): void {
    if (this.#inbox === undefined) this.#room?.receive(this, message)
    else this.#inbox.push(message)
  }

  /** Keeps further messages and stops reading, until `resume`. */
  hold (): void {
    if (this.#inbox !== undefined) return
    this.#inbox = []
    // A connection that has ended must not stop other documents on its socket.
    if (this.#phase === 'ended') return
    this.#holdsSocket = true
    this.socket.pause()
  }

  /** Processes the messages that waited; if the client has left, only its updates. */
  resume (): void {
    const waiting = this.#inbox ?? []
    this.#inbox = undefined
    this.#letGoOfSocket()
    for (const message of waiting) if (!this.#wasSentAway) this.#handOn(message)
  }

  /** Bytes of the updates that wait. */
  get waitingBytes (): number {
    return this.#inbox?.reduce((sum, message) => 'update' in message ? sum + message.update.length : sum, 0) ?? 0
  }

  /** An update was refused, since the client cannot edit, or could not when it arrived. */
  updateRefused (): void { this.#wasRefused = true }

  /** The client has answered step 1: with all that the room lacks, refused updates included. */
  answered (): void {
    this.#step1SentAt = undefined
    if (this.#canEdit) this.#wasRefused = false
  }

  /** The client has been sent step 1, which asks for what the room lacks. */
  step1Sent (now: number): void { this.#step1SentAt = now }

  /** Whether the client was sent step 1 within the last `ms` and has not answered it. */
  wasSentStep1Within (ms: number, now: number): boolean {
    return this.#step1SentAt !== undefined && now - this.#step1SentAt < ms
  }

  /** Counts a question whether all is stored. @returns false: too many wait for an answer */
  countStoredQuestion (): boolean { return ++this.#storedQuestions <= maxStoredQuestions }

  /** Charges the client for the parts of a message. @returns false if it has sent too many; then it is disconnected */
  spend (parts: number, now: number): boolean {
    if (this.socket.budget.spend(parts, now)) return true
    this.end(closes.tooMany)
    return false
  }

  // ---- messages to the client

  /** Writes messages that are sent once, or that wait until the socket has taken what came before. */
  write (messages: readonly Uint8Array[]): void {
    if (messages.length > 0) new SharedFrames(messages).writeTo(this.socket, this.address)
  }

  /** Writes answers, which a client can request without end. */
  send (messages: readonly Uint8Array[]): void {
    const { isFull, answers } = this.socket
    if (answers.add(isFull ? this.#bytesOf(messages) : 0, isFull)) this.write(messages)
    else this.end(closes.tooSlow)
  }

  #bytesOf (messages: readonly Uint8Array[]): number {
    return messages.reduce((sum, message) => sum + maxHeaderBytes + this.address.bytes.length + message.length, 0)
  }

  /** Confirms to the client that `count` of its updates are stored. */
  acknowledge (count: number): void {
    const message = this.#phase === 'ended' ? undefined : this.protocol.acknowledgement(true)
    if (message !== undefined) this.send(new Array<Uint8Array>(count).fill(message))
  }

  /** Answers the question whether everything before it is stored. */
  answerStored (number: number): void {
    this.#storedQuestions--
    if (this.#phase !== 'ended') this.send([encodeStoredAnswer(number, !this.#wasRefused)])
  }

  /** Whether the socket has bytes to take and has made no progress for too long. Called every few seconds. */
  hasStalled (now: number): boolean {
    const { buffered, taken } = this.socket
    if (buffered === 0) {
      this.#stalledSince = undefined
      return false
    }
    if (taken !== this.#takenThen) {
      this.#stalledSince = now
      this.#takenThen = taken
      return false
    }
    this.#stalledSince ??= now
    return now - this.#stalledSince > stalledMs + buffered / leastBytesPerMs
  }

  // ---- its end

  /** Takes the connection out of its room; the session reports the reason to the client. */
  end (reason: CloseReason): void {
    if (this.#phase === 'ended') return
    this.#wasSentAway = true
    this.#inbox = undefined
    this.leave()
    this.session.ended(this, reason)
  }

  /** Takes the connection out of its room because the client leaves. Updates that it sent before are still taken. */
  leave (): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#inbox = this.#inbox?.filter(({ type }) => type === 'update' || type === 'sync-step-2')
    this.#letGoOfSocket()
    this.#room?.remove(this)
  }

  /** Each pause of the socket is undone once: its other documents must be read. */
  #letGoOfSocket (): void {
    if (!this.#holdsSocket) return
    this.#holdsSocket = false
    this.socket.resume()
  }
}
