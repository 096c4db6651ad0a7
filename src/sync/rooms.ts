import type { Logger } from '../logging/logger.ts'
import { OutageLog } from '../logging/outage-log.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Store } from '../store/store.ts'
import { within } from '../wait/within.ts'
import type { Connection } from './connection.ts'
import { Counters, newDurations, type Counts, type EngineDurations } from './counters.ts'
import type { DocumentWork } from './document-work.ts'
import { Differences } from './join/differences.ts'
import { Turns } from './turns.ts'
import { PieceCache } from './join/piece-cache.ts'
import { documentBoundsOf, type Limits } from './limits.ts'
import { LogReader, type ReadableLog } from './peers/log-reader.ts'
import { noOtherNodes, type OtherNodes, type RoomMessage } from './peers/other-nodes.ts'
import { RememberedClients } from './presence/remembered-clients.ts'
import { listConnections, type ConnectionList } from './presence/list-connections.ts'
import { sharePresence } from './presence/share-presence.ts'
import { Room } from './room.ts'
import { Compactor, type Sizes } from './save/compactor.ts'
import { Saver } from './save/saver.ts'
import { StoredDocuments } from './save/stored-documents.ts'
import { Tombstones } from './save/tombstones.ts'
import type { Services } from './services.ts'
import { TickClock } from './tick/tick-clock.ts'
import { TickLoad } from './tick/tick-load.ts'

/** ms in which every room is swept once: silence and expired presence are noticed within this time. */
const sweepMs = 3000
/** Parts of a sweep: 5,000 rooms would hold up the event loop for 60 ms at once; small parts find cold caches. */
const sweepParts = 6

/** ms between two groups of connections that are closed while the service stops. */
const closeEveryMs = 20

/** The store, the workers and the limits of the engine, its clock and its link to other nodes. */
export interface RoomsOptions {
  readonly store: Store
  readonly work: DocumentWork
  readonly limits: Limits
  readonly logger: Logger
  /** Engine time in ms, monotonic, with fractions */
  readonly now: () => number
  /** The other nodes of the service; default: there are none */
  readonly otherNodes?: OtherNodes
}

/** All open rooms of this process. A room is open while a connection is in it or its updates wait for the store. */
export class Rooms {
  readonly #rooms = new Map<string, Room>()
  readonly #services: Services
  readonly #sweeper: NodeJS.Timeout
  /** The sweep under way: its next part, the rooms of a part, and those that it has yet to reach */
  #sweep = { part: 0, rooms: 0, left: this.#rooms.values(), isStreaming: false }
  #isClosed = false

  constructor (options: RoomsOptions) {
    this.#services = servicesOf(options, this.#rooms)
    this.#services.otherNodes.answerOpenings((name) => this.#departedFrom(name))
    this.#sweeper = setInterval(() => { this.#sweepPart() }, sweepMs / sweepParts)
    this.#sweeper.unref()
  }

  get counters (): Readonly<Counts> { return this.#services.counters.counts }
  get durations (): EngineDurations { return this.#services.durations }
  get openRooms (): number { return this.#rooms.size }
  get unsavedBytes (): number { return this.#services.saver.unsavedBytes }
  /** Documents whose last compaction failed */
  get documentsInBackoff (): number { return this.#services.compactor.inBackoff }
  /** ms since the epoch when the store began to reject updates; undefined while it takes them */
  get storeFailingSince (): number | undefined { return this.#services.saver.failingSince }

  /** Brings a connection into a room, which is opened if it is not open. */
  join (name: string, connection: Connection): void {
    if (this.#isClosed) {
      connection.end(closes.restart)
      return
    }
    let room = this.#rooms.get(name)
    if (room === undefined) {
      room = new Room(name, this.#services, (closed) => {
        if (this.#rooms.get(name) === closed) this.#rooms.delete(name)
      })
      this.#rooms.set(name, room)
    }
    room.add(connection)
  }

  /** The message for another node that opens a room which this node has closed: the clients that left it lately. */
  #departedFrom (name: string): RoomMessage | undefined {
    const { remembered, now } = this.#services
    const departed = remembered.of(name, now())
    return departed.length === 0 ? undefined : { type: 'awareness', entries: sharePresence(departed, now()) }
  }

  /**
   * Brings an update that was stored without a room to everybody who has the document open, on all nodes.
   * @param seq its position in the log
   * @param sizes of the stored document, with the update
   */
  wrote (name: string, seq: number, sizes: Sizes): void {
    const { otherNodes, compactor } = this.#services
    otherNodes.wrote(name, seq)
    const room = this.#rooms.get(name)
    if (room !== undefined) room.remote.mustHave(seq)
    // No room will close and have it compacted.
    else compactor.consider(name, sizes, true)
  }

  /** How many connections are in a room. */
  size (name: string): number {
    return this.#rooms.get(name)?.connections.size ?? 0
  }

  /**
   * Lists the connections of a room and who is present in each, the oldest first.
   * @param isWanted whether a connection is to be listed
   * @param limit of the connections, at least 1
   */
  list (name: string, isWanted: (connection: Connection) => boolean, limit: number): ConnectionList {
    const room = this.#rooms.get(name)
    return room === undefined ? { connections: [], isComplete: true } : listConnections(room, isWanted, limit)
  }

  * connections (): Generator<Connection> {
    for (const room of this.#rooms.values()) yield * room.connections
  }

  /** Ends all connections of a room, or those of one user, so that each is authorised again. @returns how many */
  reset (name: string, userId?: string): number {
    const room = this.#rooms.get(name)
    if (room === undefined) return 0
    return room.endAll(closes.reset, userId === undefined ? undefined : (connection) => connection.userId === userId)
  }

  /**
   * A document was deleted, and the store has nothing of it any more: closes its room, and forgets who was in it.
   * @param upTo its last sequence number; a room of a later document of the same name stays. 0: it is not known, and
   * the room looks into the store
   * @returns how many connections were closed at once
   */
  documentDeleted (name: string, upTo: number): number {
    const { remembered, pieces, now } = this.#services
    const room = this.#rooms.get(name)
    if (room === undefined) remembered.take(name, now())
    pieces.clear()
    return room?.documentDeleted(upTo) ?? 0
  }

  /** Connections of a room that can edit, and whether one belongs to the session; undefined: nobody is in it. */
  count (name: string, sessionKey: string): { count: number, exists: boolean } | undefined {
    const room = this.#rooms.get(name)
    if (room === undefined || room.connections.size === 0) return undefined
    const editing = [...room.connections].filter((connection) => connection.canEdit)
    return { count: editing.length, exists: editing.some((connection) => connection.sessionKey === sessionKey) }
  }

  /**
   * Accepts no more connections, stores everything that has arrived, acknowledges it, closes all connections and
   * resolves when nothing is left to store.
   * @param patienceMs how long the connections stay open for a store that does not answer
   * @param spreadMs time over which the connections are closed one after the other, since each reconnects at once
   */
  async close (reason: CloseReason = closes.restart, patienceMs = 3000, spreadMs = 0): Promise<void> {
    this.#isClosed = true
    const { saver, compactor, clock, pieces, reader } = this.#services
    compactor.stop()
    reader.stop()
    for (const room of this.#rooms.values()) room.tickNow()
    saver.hurry()
    await within(saver.flush(), patienceMs, () => {})
    await this.#endBitByBit(reason, spreadMs)
    clearInterval(this.#sweeper)
    for (const room of [...this.#rooms.values()]) {
      room.tickNow()
      room.endAll(reason)
    }
    await saver.flush()
    clock.stop()
    pieces.clear()
  }

  /** Room by room, so that people who work together are reconnected together. */
  async #endBitByBit (reason: CloseReason, spreadMs: number): Promise<void> {
    const { now } = this.#services
    const connections = [...this.connections()]
    const startedAt = now()
    for (let ended = 0; ended < connections.length;) {
      const elapsed = now() - startedAt
      if (elapsed >= spreadMs) return
      const due = Math.ceil(connections.length * elapsed / spreadMs)
      for (; ended < due; ended++) connections[ended]?.end(reason)
      await new Promise((resolve) => { setTimeout(resolve, closeEveryMs) })
    }
  }

  /** Resolves when everything that rooms have taken is stored. For tests and tools. */
  flushed (): Promise<void> {
    for (const room of this.#rooms.values()) room.tickNow()
    return this.#services.saver.flush()
  }

  /** Resolves when no compaction is running or waiting. For tests and tools. */
  compactionIdle (): Promise<void> {
    return this.#services.compactor.idle()
  }

  #sweepPart (): void {
    const now = this.#services.now()
    if (this.#sweep.part === 0) this.#beginSweep()
    for (let count = 0; count < this.#sweep.rooms; count++) {
      const { value: room } = this.#sweep.left.next()
      if (room === undefined) break
      room.sweep(now)
      this.#sweep.isStreaming ||= room.content.isStreaming
    }
    if (++this.#sweep.part === sweepParts) this.#endSweep(now)
  }

  #beginSweep (): void {
    const rooms = Math.ceil(this.#rooms.size / sweepParts)
    this.#sweep = { part: 0, rooms, left: this.#rooms.values(), isStreaming: false }
  }

  /** Rooms that were opened during the sweep wait for the next one. */
  #endSweep (now: number): void {
    if (!this.#sweep.isStreaming) this.#services.pieces.clear()
    this.#services.remembered.sweep(now)
    this.#sweep.part = 0
  }
}

function servicesOf (options: RoomsOptions, rooms: ReadonlyMap<string, Room>): Services {
  const { store, work, limits, logger, now, otherNodes = noOtherNodes } = options
  const stored = new StoredDocuments(store, work)
  const counters = new Counters()
  const durations = newDurations()
  const outages = new OutageLog(logger, now)
  return {
    stored,
    tombstones: new Tombstones(store, work, outages),
    differences: new Differences(stored),
    work,
    limits,
    documentBounds: documentBoundsOf(limits),
    logger,
    outages,
    now,
    counters,
    durations,
    otherNodes,
    remembered: new RememberedClients(),
    reader: new LogReader({ logs: () => logsOf(rooms), readEveryMs: () => otherNodes.readEveryMs, outages, now }),
    saver: new Saver(store, logger, now, durations.commits),
    pieces: new PieceCache(),
    clock: new TickClock(now),
    tickLoad: new TickLoad(now()),
    turns: new Turns(now),
    compactor: new Compactor({
      store,
      stored,
      work,
      logger,
      counters,
      now,
      isTurn: (name) => otherNodes.isTurn(name),
      onCompacted: (name, head, log) => { rooms.get(name)?.compacted(head, log) },
    }),
  }
}

function * logsOf (rooms: ReadonlyMap<string, Room>): Generator<ReadableLog> {
  for (const { remote } of rooms.values()) yield remote
}
