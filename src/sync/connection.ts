import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { encodeStoredAnswer, encodeSyncStatus } from '../protocol/encode-message.ts'
import type { Address } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'
import type { Speaker } from './presence/awareness-table.ts'
import { personOf } from './presence/claim.ts'
import type { Receipt } from './save/recent-updates.ts'
import type { Room } from './room.ts'
import { SharedFrames } from './tick/shared-frames.ts'
import type { Socket } from './socket.ts'

/** Who is at the other end and what they may do, as somebody authorised has said. */
export interface Member {
  readonly userId?: string | undefined
  readonly sessionKey?: string | undefined
  readonly canEdit: boolean
}

/** The session of a connection: it owns the socket, which can carry other documents, and authorises the client. */
export interface Session {
  /** The engine has ended the connection. */
  ended (connection: Connection, reason: CloseReason): void
  /** The client has sent another ticket, and everything before it has been processed. */
  renew (connection: Connection, ticket: string): void
}

/**
 * - `joining`: the room is being opened, or the client has not said yet what it has
 * - `catching-up`: the state is being sent, or the socket is behind; document updates wait
 * - `live`: gets every tick
 * - `ended`
 */
export type Phase = 'joining' | 'catching-up' | 'live' | 'ended'

/** A socket that has taken nothing of what was written for this long is closed: nobody sees anything live that slowly. */
const stalledMs = 45_000
/** One write counts when all of it is taken: a slow but honest link (1 Mbit/s) has the time that its bytes need on top. */
const leastBytesPerMs = 125

/** Of a WebSocket frame from a server (RFC 6455, section 5.2) */
const maxHeaderBytes = 10

const stored = encodeSyncStatus(true)

/** One socket of one user in one room. */
export class Connection implements Speaker, Receipt {
  readonly socket: Socket
  readonly session: Session
  readonly address: Address
  /** Hocuspocus clients are told what is stored; y-websocket knows no such message */
  readonly speaksHocuspocus: boolean
  sessionKey: string | undefined
  readonly joinedAt: number
  canEdit: boolean
  phase: Phase = 'joining'
  room: Room | undefined
  /** Messages that wait until the one before them is dealt with; undefined = nothing holds them up */
  inbox: ClientMessage[] | undefined
  /** The engine has ended it; what waits here of its client does not count any more */
  wasSentAway = false
  /** Something that this client sent was not taken, since it may not edit, or might not at the time */
  wasRefused = false
  /** Presence has changed while the socket was behind */
  owesAwareness = false
  /** State vector of a question that came while the last one was still being answered */
  asksAgain: Uint8Array | undefined
  /** How often it has asked whether all is stored and has not been answered yet */
  openQuestions = 0
  /** Engine time in ms when it was last asked what the room lacks and has not answered yet */
  askedAt: number | undefined
  /** What it is sent before anything else is large, and on its way */
  isGreeting = false

  #userId: string | undefined
  #person: string | undefined
  #holdsSocket = false
  /** Engine time in ms since when the socket has taken nothing of what waits for it, and what it had taken by then */
  #stalledSince: number | undefined
  #takenThen = 0

  constructor (socket: Socket, session: Session, address: Address, speaksHocuspocus: boolean, member: Member) {
    this.socket = socket
    this.joinedAt = socket.heardAt
    this.session = session
    this.address = address
    this.speaksHocuspocus = speaksHocuspocus
    this.#userId = member.userId
    this.sessionKey = member.sessionKey
    this.canEdit = member.canEdit
  }

  get userId (): string | undefined { return this.#userId }

  /** See `personOf` */
  get person (): string {
    this.#person ??= personOf(this.#userId, this.sessionKey)
    return this.#person
  }

  /** Applies another verdict. A client that can now edit is asked for the updates that were refused before. */
  takeOver ({ userId, sessionKey = this.sessionKey, canEdit }: Member): void {
    const canEditNow = canEdit && !this.canEdit
    // The same user stays the same person in another session: client ids are claimed by persons.
    if (userId !== this.#userId) this.#person = undefined
    this.#userId = userId
    this.sessionKey = sessionKey
    this.canEdit = canEdit
    if (canEditNow && this.wasRefused) this.#askForRefused()
  }

  /** A client that is still joining is asked in any case. */
  #askForRefused (): void {
    if (this.room === undefined || this.phase === 'joining' || this.phase === 'ended') return
    this.askedAt = this.room.services.now()
    this.send([this.room.messages.step1()])
  }

  /** Hands a client's message to the room, or lets it wait for its turn. */
  receive (message: ClientMessage): void {
    // The message before this one may have been the one that ended it.
    if (this.phase !== 'ended') this.#handOn(message)
  }

  #handOn (message: ClientMessage): void {
    if (this.inbox !== undefined) this.inbox.push(message)
    else if (message.type === 'auth') this.session.renew(this, message.token)
    else this.room?.receive(this, message)
  }

  /** A message too large for a client that can only read was discarded while it arrived, whatever it was. */
  refuseDiscarded (): void {
    this.wasRefused = true
    if (this.room !== undefined) this.room.services.counters.refused++
    if (this.speaksHocuspocus) this.send([encodeSyncStatus(false)])
  }

  /** Lets further messages wait and stops reading, until `resume`. */
  hold (): void {
    if (this.inbox !== undefined) return
    this.inbox = []
    // One that has left holds up nobody else who is on its socket.
    if (this.phase === 'ended') return
    this.#holdsSocket = true
    this.socket.pause()
  }

  /** What has waited gets its turn; of one that has left, what it wrote. */
  resume (): void {
    const waiting = this.inbox ?? []
    this.inbox = undefined
    this.#letGoOfSocket()
    for (const message of waiting) if (!this.wasSentAway) this.#handOn(message)
  }

  /** For what is sent once, or waits until the socket has taken what came before. */
  write (messages: readonly Uint8Array[]): void {
    new SharedFrames(messages).writeTo(this.socket, this.address)
  }

  /** For answers, which a client can ask for without end. */
  send (messages: readonly Uint8Array[]): void {
    const isBehind = this.socket.buffered > (this.room?.services.limits.maxSocketBufferBytes ?? 0)
    if (this.socket.answers.add(isBehind ? this.#bytesOf(messages) : 0, isBehind)) this.write(messages)
    else this.end(closes.tooSlow)
  }

  #bytesOf (messages: readonly Uint8Array[]): number {
    return messages.reduce((sum, message) => sum + maxHeaderBytes + this.address.bytes.length + message.length, 0)
  }

  /** Charges the client for what costs time by its parts. @returns false where it has sent too much, and was closed for it */
  spend (parts: number, now: number): boolean {
    if (this.socket.budget.spend(parts, now)) return true
    this.end(closes.tooMany)
    return false
  }

  /** Whether the socket has taken nothing for too long of what waits for it. To be asked every few seconds. */
  hasStalled (now: number): boolean {
    const { buffered } = this.socket
    if (buffered === 0) {
      this.#stalledSince = undefined
      return false
    }
    const { taken } = this.socket
    if (taken !== this.#takenThen) {
      this.#stalledSince = now
      this.#takenThen = taken
      return false
    }
    this.#stalledSince ??= now
    return now - this.#stalledSince > stalledMs + buffered / leastBytesPerMs
  }

  /** Tells a client that `count` of its updates are safe in the store. */
  acknowledge (count: number): void {
    if (this.phase !== 'ended') this.send(new Array<Uint8Array>(count).fill(stored))
  }

  /** Answers the question whether all that came before it is stored. */
  answerStored (number: number): void {
    if (this.phase !== 'ended') this.send([encodeStoredAnswer(number, !this.wasRefused)])
  }

  /** Takes the connection out of its room and lets the session tell the client why. */
  end (reason: CloseReason): void {
    if (this.phase === 'ended') return
    this.wasSentAway = true
    this.inbox = undefined
    this.leave()
    this.session.ended(this, reason)
  }

  /** Takes the connection out of its room: the client is gone, or goes. What it wrote before and still waits here is taken all the same. */
  leave (): void {
    if (this.phase === 'ended') return
    this.phase = 'ended'
    this.inbox = this.inbox?.filter(({ type }) => type === 'update' || type === 'sync-step-2')
    this.#letGoOfSocket()
    this.room?.remove(this)
  }

  /** Each pause of the socket is undone once: other documents on it want to be read. */
  #letGoOfSocket (): void {
    if (!this.#holdsSocket) return
    this.#holdsSocket = false
    this.socket.resume()
  }
}
