import type { CloseReason } from '../protocol/close-codes.ts'
import { encodeStoredAnswer, encodeSyncStatus } from '../protocol/encode-message.ts'
import { framesOf, type Address } from '../protocol/frame.ts'
import type { ClientMessage } from '../protocol/message.ts'
import type { AwarenessOwner } from './awareness-table.ts'
import { personOf } from './presence.ts'
import type { Receipt } from './recent-updates.ts'
import type { Room } from './room.ts'
import type { Socket } from './socket.ts'

/** Who is at the other end and what they may do, as somebody authorised has said. */
export interface Member {
  readonly userId?: string | undefined
  readonly sessionKey?: string | undefined
  readonly canEdit: boolean
}

/** Told when the engine ends a connection. The socket is the session's to close: it may carry other documents. */
export interface Session {
  ended (connection: Connection, reason: CloseReason): void
}

/**
 * - `joining`: the room is being opened, or the client has not said yet what it has
 * - `catching-up`: the state is being sent, or the socket is behind; document updates wait
 * - `live`: gets every tick
 * - `ended`
 */
export type Phase = 'joining' | 'catching-up' | 'live' | 'ended'

/** A connection that has been silent for this long no longer holds its client ids against a newcomer. */
const idsFreeAfterMs = 20_000

const stored = encodeSyncStatus(true)

/** One socket of one user in one room. */
export class Connection implements AwarenessOwner, Receipt {
  readonly node = undefined
  readonly socket: Socket
  readonly session: Session
  readonly address: Address
  /** Hocuspocus clients are told what is stored; y-websocket knows no such message */
  readonly speaksHocuspocus: boolean
  readonly sessionKey: string | undefined
  readonly joinedAt: number
  canEdit: boolean
  phase: Phase = 'joining'
  room: Room | undefined
  /** Messages that wait until the one before them is dealt with; undefined = nothing holds them up */
  inbox: ClientMessage[] | undefined
  /** Something that this client sent was not taken, since it may not edit, or might not at the time */
  wasRefused = false
  /** Presence has changed while the socket was behind */
  owesAwareness = false
  /** State vector of a question that came while the last one was still being answered */
  asksAgain: Uint8Array | undefined
  /** Engine time in ms since when the socket has not taken what was written, while somebody waits for it */
  waitingSince: number | undefined

  #userId: string | undefined
  #person: number | undefined

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
  set userId (userId: string | undefined) {
    this.#userId = userId
    this.#person = undefined
  }

  get person (): number {
    this.#person ??= personOf(this.#userId, this.sessionKey)
    return this.#person
  }

  /** Hands a client's message to the room, or lets it wait for its turn. */
  receive (message: ClientMessage): void {
    // The message before this one may have been the one that ended it.
    if (this.phase === 'ended') return
    if (this.inbox !== undefined) this.inbox.push(message)
    else this.room?.receive(this, message)
  }

  /** Lets further messages wait and stops reading, until `resume`. */
  hold (): void {
    if (this.inbox !== undefined) return
    this.inbox = []
    this.socket.pause()
  }

  resume (): void {
    const waiting = this.#letGo()
    for (const message of waiting) this.receive(message)
  }

  send (messages: readonly Uint8Array[]): void {
    this.socket.write(framesOf(this.address, messages))
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
    this.leave()
    this.session.ended(this, reason)
  }

  /** Takes the connection out of its room: the client is gone, or goes. */
  leave (): void {
    if (this.phase === 'ended') return
    this.phase = 'ended'
    this.#letGo()
    this.room?.remove(this)
  }

  /** Each pause of the socket is undone once: other documents on it want to be read. @returns what has waited */
  #letGo (): ClientMessage[] {
    const waiting = this.inbox
    if (waiting === undefined) return []
    this.inbox = undefined
    this.socket.resume()
    return waiting
  }

  mayTakeFrom (other: AwarenessOwner): boolean {
    // On another node: what is not renewed there expires here too.
    if (!(other instanceof Connection)) return other.node === undefined || (other.person !== 0 && other.person === this.person)
    const isSamePerson = (this.userId !== undefined && this.userId === other.userId) ||
      (this.sessionKey !== undefined && this.sessionKey === other.sessionKey)
    return isSamePerson || this.socket.heardAt - other.socket.heardAt > idsFreeAfterMs
  }
}
