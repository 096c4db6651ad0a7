import { encodeAwareness, type AwarenessUpdate } from '../protocol/awareness.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { encodeAwarenessMessage } from '../protocol/encode-message.ts'
import { MalformedMessage } from '../protocol/malformed-message.ts'
import type { ClientMessage } from '../protocol/message.ts'
import { DamagedDocument, type SnapshotHead } from '../store/store.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import type { Connection, EnteredRoom } from './connection.ts'
import { RoomContent } from './content.ts'
import { CatchUp } from './join/catch-up.ts'
import { awarenessTimeoutMs, keepaliveMs, pingAfterMs } from './limits.ts'
import { RemoteRooms, type LocalRoom } from './peers/remote-rooms.ts'
import { AwarenessTable, type Presence } from './presence/awareness-table.ts'
import { nobody, PresenceMessages } from './presence/presence-messages.ts'
import { EarlyLeavers } from './receive/early-leavers.ts'
import { Reception, type ReceivingRoom } from './receive/reception.ts'
import { whileHeld } from './receive/while-held.ts'
import { DeletedDocument } from './save/lifetime.ts'
import type { RecentUpdate } from './save/recent-update.ts'
import { RoomEntry } from './save/room-entry.ts'
import type { Services } from './services.ts'
import { broadcast, type Broadcast } from './tick/broadcast.ts'
import type { Ticking } from './tick/tick-clock.ts'
import { TickPace } from './tick/tick-pace.ts'

const none: readonly Presence[] = []

/** ms for which a client that was asked what the room lacks is not asked again, unless it has answered. */
const step1AgainMs = 5000

/**
 * The live side of a document in this process: its connections, who is present, and what is known of its content. The
 * room opens with its first connection and closes when nobody is in it and everything is stored.
 */
export class Room implements EnteredRoom, ReceivingRoom, LocalRoom, Ticking {
  readonly name: string
  readonly connections = new Set<Connection>()
  readonly awareness = new AwarenessTable()
  readonly content: RoomContent
  /** The same room on other nodes */
  readonly remote: RemoteRooms
  readonly #services: Services
  readonly #onClosed: (room: Room) => void
  readonly #presence: PresenceMessages
  readonly #catchUp: CatchUp
  readonly #reception: Reception
  readonly #earlyLeavers = new EarlyLeavers()
  readonly #pace = new TickPace()
  #phase: 'opening' | 'open' | 'closed' = 'opening'
  /** Messages whose processing takes several turns of the event loop */
  #processing = 0
  /** The last number of a document of this name that was deleted while the room was being opened */
  #deletedUpTo = 0
  #isTickRequested = false
  /** Engine time in ms at which the first content of the next tick arrived */
  #requestedAt = 0

  /** @param onClosed called when the room has closed */
  constructor (name: string, services: Services, onClosed: (room: Room) => void) {
    this.name = name
    this.#services = services
    this.#onClosed = onClosed
    this.awareness.recall(services.remembered.take(name, services.now()))
    this.content = new RoomContent(name, services)
    this.#presence = new PresenceMessages(this.awareness)
    this.#catchUp = new CatchUp(this.content, this.#presence, services)
    this.#reception = new Reception(this.content, services, this)
    this.remote = new RemoteRooms(this.content, this.awareness, services, this)
    // Before the store is read: other nodes report what they store from now on.
    this.remote.opening()
    this.#open().catch((error: unknown) => { this.#failToOpen(error) })
  }

  get isOpen (): boolean { return this.#phase === 'open' }

  // ---- opening and closing

  async #open (): Promise<void> {
    const { durations, now } = this.#services
    const startedAt = now()
    const lastSeq = await this.content.readStored()
    durations.openings.observe(now() - startedAt)
    const { after } = this.content.lifetime
    if (after > 0 && after <= this.#deletedUpTo) return this.deleted()
    this.#phase = 'open'
    this.content.open()
    this.remote.opened(lastSeq)
    // The room stays open until every message has been processed, even if that disconnects some clients.
    this.keep()
    this.#earlyLeavers.resume()
    for (const connection of [...this.connections]) {
      this.#welcome(connection)
      connection.resume()
    }
    this.release()
  }

  /** Nothing is answered after a failed read. Damage is permanent and reported; any other failure can pass soon. */
  #failToOpen (error: unknown): void {
    if (error instanceof DeletedDocument) return this.deleted()
    const isDamaged = error instanceof DamagedDocument || error instanceof MalformedUpdate
    const { logger, outages } = this.#services
    const { name: room } = this
    if (isDamaged) logger.error({ err: error, room }, 'The stored document is damaged; nobody can open it until it is restored')
    else outages.report('error', 'Failed to load a document', error, { room })
    this.#close()
    this.endAll(isDamaged ? closes.damaged : closes.unavailable)
  }

  #closeIfUnused (): void {
    const isUsed = this.connections.size > 0 || this.content.isUnsaved || this.#processing > 0
    if (isUsed || this.#phase !== 'open') return
    this.content.considerCompaction(true)
    this.#close()
  }

  #close (): void {
    const { remembered, now } = this.#services
    remembered.keep(this.name, this.awareness.departed(), now())
    this.#leaveService()
  }

  #leaveService (): void {
    this.#phase = 'closed'
    this.remote.closed()
    this.content.close()
    this.#onClosed(this)
  }

  /**
   * The document was deleted, so the room closes with everything that is not stored. What it knew of the document joins
   * the tombstone: clients that still have it must not bring it back.
   */
  deleted (): void {
    if (this.#phase === 'closed') return
    if (this.#phase === 'open') {
      this.#services.tombstones.widen(this.name, this.content.known.pack()).catch(() => {}) // it never rejects
    }
    this.#leaveService()
    this.endAll(closes.deleted)
  }

  /**
   * A document of this name was deleted: this one, or one before it.
   * @param upTo its last sequence number; 0: it is not known, and the store is read to find out
   * @returns how many connections were closed at once
   */
  documentDeleted (upTo: number): number {
    if (upTo === 0) {
      if (this.#phase !== 'closed') this.remote.mustReadStore()
      return 0
    }
    if (this.#phase === 'opening') this.#deletedUpTo = Math.max(this.#deletedUpTo, upTo)
    if (this.#phase !== 'open' || this.content.lifetime.after > upTo) return 0
    const { size } = this.connections
    this.deleted()
    return size
  }

  keep (): void { this.#processing++ }

  release (): void {
    this.#processing--
    this.#closeIfUnused()
  }

  // ---- connections

  add (connection: Connection): void {
    connection.enter(this)
    this.connections.add(connection)
    if (this.isOpen) this.#welcome(connection)
    else connection.hold()
  }

  remove (connection: Connection): void {
    if (!this.connections.delete(connection)) return
    if (!this.isOpen) this.#earlyLeavers.add(connection)
    if (this.awareness.leave(connection, this.#services.now())) this.requestTick()
    this.#closeIfUnused()
  }

  #welcome (connection: Connection): void {
    this.#catchUp.begin(connection, connection.protocol.initialSync(this.#step1, this.#presence.present()))
  }

  readonly #step1 = (): Uint8Array => this.content.messages.step1()

  sendStep1 (connection: Connection): void {
    connection.step1Sent(this.#services.now())
    connection.send([this.#step1()])
  }

  /** The state vector can be long: a client that was asked already answers with everything that it has. */
  sendStep1Again (connection: Connection): void {
    if (!connection.wasSentStep1Within(step1AgainMs, this.#services.now())) this.sendStep1(connection)
  }

  /** Ends all connections, or some. @returns how many */
  endAll (reason: CloseReason, isConcerned: (connection: Connection) => boolean = () => true): number {
    const ending = [...this.connections].filter(isConcerned)
    for (const connection of ending) connection.end(reason)
    return ending.length
  }

  // ---- messages from clients

  receive (connection: Connection, message: ClientMessage): void {
    this.#services.counters.count('messages')
    switch (message.type) {
      case 'sync-step-1':
        this.#answer(connection, message.stateVector)
        break
      case 'sync-step-2':
        this.#reception.receive(connection, message.update, true)
        break
      case 'update':
        this.#reception.receive(connection, message.update, false)
        break
      case 'discarded':
        this.#reception.refuseDiscarded(connection)
        break
      case 'awareness':
        this.#receiveAwareness(connection, message.states)
        break
      case 'query-awareness':
        this.#catchUp.sendPresence(connection)
        break
      case 'stored-question':
        this.#answerWhenStored(connection, message.number)
        break
      case 'auth':
        this.#renew(connection, message.token)
        break
      case 'close':
      case 'ping':
      case 'ignored':
        // The session has handled these.
        break
    }
  }

  /** A client that still has the text of a deleted document gets nothing of the new one, which it would mix with it. */
  #answer (connection: Connection, stateVector: Uint8Array): void {
    try {
      if (this.content.lifetime.excludesReader(stateVector)) return connection.end(closes.deleted)
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
      return connection.end(closes.malformed)
    }
    this.#catchUp.answer(connection, stateVector)
  }

  #receiveAwareness (connection: Connection, states: AwarenessUpdate): void {
    const { limits, counters, now } = this.#services
    if (!connection.spend(states.count, now())) return
    try {
      const dropped = this.awareness.apply(states, connection, limits.maxAwarenessBytes, now())
      counters.count('awarenessDropped', dropped)
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      counters.count('malformed')
      return connection.end(closes.malformed)
    }
    if (this.awareness.hasChanged) this.requestTick()
  }

  /** While the store is down, nothing is answered and every question is kept. */
  #answerWhenStored (connection: Connection, number: number): void {
    if (!connection.countStoredQuestion()) return connection.end(closes.tooMany)
    this.#reception.acknowledgeWhenStored({ acknowledge: () => { connection.answerStored(number) } })
  }

  #renew (connection: Connection, ticket: string): void {
    whileHeld(this, connection, () => connection.session.renew(connection, ticket), (err) => {
      this.#services.logger.error({ err, room: this.name }, 'Failed to check a ticket')
      connection.end(closes.unavailable)
    })
  }

  // ---- the tick

  requestTick (): void {
    if (this.#isTickRequested || !this.isOpen) return
    this.#isTickRequested = true
    this.#requestedAt = this.#services.now()
    this.#services.clock.request(this, this.#pace.dueAt(this.#requestedAt))
  }

  /** Does not wait for the tick: called before the connections are closed. */
  tickNow (): void {
    if (this.isOpen && this.content.pending.all.length > 0) this.tick()
  }

  tick (): void {
    this.#isTickRequested = false
    if (!this.isOpen) return
    const { now, counters, tickLoad, limits } = this.#services
    const startedAt = now()
    const arrivedAt = this.#requestedAt
    const { pending, relayed } = this.content
    const received = pending.all.length + relayed.count
    const presences = this.awareness.hasChanged ? this.awareness.takeChanged() : none
    const except = presences.length > 0 || relayed.count > 0 ? undefined : pending.sender
    const fromOthers = this.content.takeRelayed()
    const own = this.content.takePending()
    const awareness = presences.length === 0 ? undefined : encodeAwarenessMessage(encodeAwareness(presences))
    const sent = fromOthers.length === 0 ? own : [...fromOthers, ...own]
    this.#broadcast({ updates: sent.map(({ framed }) => framed), awareness, except })
    this.remote.send(own, presences)
    for (const recent of own) this.#save(recent, arrivedAt)
    this.#reception.ticked()
    counters.count('ticks')
    const endedAt = now()
    tickLoad.add(endedAt - startedAt, endedAt)
    this.#pace.ticked(startedAt, endedAt, received + presences.length, tickLoad.value, limits.maxTickSpacingMs)
  }

  #broadcast (messages: Broadcast): void {
    const { counters } = this.#services
    const written = broadcast(this.connections, messages, this.#fallBehind)
    counters.count('framesWritten', written)
  }

  readonly #fallBehind = (connection: Connection, missed: number): void => {
    this.#services.counters.count('resyncs')
    this.#catchUp.fallBehind(connection, missed)
  }

  save (recent: RecentUpdate): void { this.#save(recent, this.#services.now()) }

  /** @param arrivedAt engine time in ms when the first of its updates has arrived */
  #save (recent: RecentUpdate, arrivedAt: number): void {
    this.#services.saver.add({
      entry: new RoomEntry(this.name, recent, this.content.lifetime),
      saved: (seq) => { this.#saved(recent, seq, arrivedAt) },
      rejected: () => { this.deleted() },
    })
  }

  #saved (recent: RecentUpdate, seq: number, arrivedAt: number): void {
    const { durations, now } = this.#services
    durations.acknowledgements.observe(now() - arrivedAt)
    this.content.lifetime.stored(seq)
    this.remote.stored(recent, seq)
    this.content.saved(recent)
    this.#closeIfUnused()
  }

  // ---- upkeep

  /** The compactor has replaced the snapshot. @param log what was removed from the log */
  compacted (head: SnapshotHead, log: { readonly bytes: number, readonly entries: number }): void {
    this.remote.compacted(head, log)
  }

  /** Ends silent and stalled connections, expires presence and frees memory. Called every few seconds. */
  sweep (now: number): void {
    if (this.awareness.expire(now, awarenessTimeoutMs)) this.requestTick()
    for (const connection of this.connections) this.#attend(connection, now)
    if (this.isOpen) this.remote.sweep()
    this.content.sweep(now)
    if (!this.content.isStreaming) this.#presence.forget()
  }

  #attend (connection: Connection, now: number): void {
    const { socket } = connection
    const { silenceMs } = this.#services.limits
    const silentMs = now - socket.heardAt
    if (silentMs > silenceMs) return connection.end(closes.silent)
    if (connection.hasStalled(now)) return connection.end(closes.tooSlow)
    const pingMs = pingAfterMs(silenceMs)
    if (silentMs > pingMs && now - socket.pingedAt > pingMs) socket.ping()
    if (this.isOpen && now - socket.writtenAt > keepaliveMs) connection.send([nobody])
  }
}
