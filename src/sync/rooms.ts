import type { Logger } from '../logging/logger.ts'
import { OutageLog } from '../logging/outage-log.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Store } from '../store/store.ts'
import { clientBounds } from '../update/bounds.ts'
import { Compactor } from './save/compactor.ts'
import type { Connection } from './connection.ts'
import { Differences } from './join/differences.ts'
import type { DocumentWork } from './document-work.ts'
import type { Limits } from './limits.ts'
import { LogReader } from './peers/log-reader.ts'
import { noNeighbours, type Neighbours, type RoomMessage } from './peers/other-nodes.ts'
import { Pacer } from './join/pacer.ts'
import { PieceCache } from './join/piece-cache.ts'
import { sharePresence } from './presence/presence.ts'
import { RememberedClients } from './presence/remembered-clients.ts'
import { Room } from './room.ts'
import { Saver } from './save/saver.ts'
import { newCounters, newDurations, type Counters, type DocumentBounds, type EngineDurations, type Services } from './services.ts'
import { StoredDocuments } from './save/stored-documents.ts'
import { TickClock } from './tick/tick-clock.ts'
import { TickLoad } from './tick/tick-load.ts'

/** Rooms are looked after this often: what expires or falls silent is noticed within this time. */
const sweepEveryMs = 3000
/** Each connection is asked for a sign of life every this many sweeps (24 s): below the 30 to 60 s after which proxies cut what is silent. */
const pingEverySweeps = 8

/** While the service stops, some connections are sent away each time so many ms have passed. */
const sendAwayEveryMs = 20

export interface RoomsOptions {
  readonly store: Store
  readonly work: DocumentWork
  readonly limits: Limits
  readonly logger: Logger
  /** Engine time in ms, monotonic, with fractions */
  readonly now: () => number
  /** The other nodes of the service; none where it is left out */
  readonly neighbours?: Neighbours
}

/** All rooms of this process. A room is here while somebody is in it or something of it waits for the store. */
export class Rooms {
  readonly #rooms = new Map<string, Room>()
  readonly #services: Services
  readonly #sweeper: NodeJS.Timeout
  #sweeps = 0
  #isClosed = false

  constructor ({ store, work, limits, logger, now, neighbours = noNeighbours }: RoomsOptions) {
    const stored = new StoredDocuments(store, work)
    const counters = newCounters()
    const durations = newDurations()
    this.#services = {
      stored,
      differences: new Differences(stored),
      work,
      limits,
      documentBounds: boundsFrom(limits),
      logger,
      outages: new OutageLog(logger, now),
      now,
      counters,
      durations,
      neighbours,
      remembered: new RememberedClients(),
      reader: new LogReader(this.#rooms, () => this.#services),
      saver: new Saver(store, logger, now, durations.commits),
      pieces: new PieceCache(),
      clock: new TickClock(now),
      load: new TickLoad(now()),
      pacer: new Pacer(now),
      compactor: new Compactor({
        store,
        stored,
        work,
        logger,
        counters,
        now,
        isTurn: (name) => neighbours.isTurn(name),
        onCompacted: (name, head, log) => { this.#rooms.get(name)?.compacted(head, log) },
      }),
    }
    neighbours.answerOpenings((name) => this.#whoLeft(name))
    this.#sweeper = setInterval(() => { this.#sweep() }, sweepEveryMs)
    this.#sweeper.unref()
  }

  get counters (): Readonly<Counters> { return this.#services.counters }
  get durations (): EngineDurations { return this.#services.durations }
  get openRooms (): number { return this.#rooms.size }
  get unsavedBytes (): number { return this.#services.saver.unsavedBytes }
  /** Documents whose last compaction failed */
  get documentsInBackoff (): number { return this.#services.compactor.inBackoff }
  /** ms since the epoch since when the store has not taken updates; undefined while it does */
  get storeFailingSince (): number | undefined { return this.#services.saver.failingSince }
  get isClosed (): boolean { return this.#isClosed }

  /** Brings a connection into a room, which is opened if need be. */
  join (name: string, connection: Connection): void {
    if (this.#isClosed) {
      connection.end(closes.restart)
      return
    }
    let room = this.#rooms.get(name)
    if (room === undefined) {
      room = new Room(name, this.#services, (empty) => { if (this.#rooms.get(name) === empty) this.#rooms.delete(name) })
      this.#rooms.set(name, room)
    }
    room.add(connection)
  }

  /** The message for another node that opens a room which this node has released. */
  #whoLeft (name: string): RoomMessage | undefined {
    const { remembered, now } = this.#services
    const departed = remembered.of(name, now())
    return departed.length === 0 ? undefined : { type: 'awareness', entries: sharePresence(departed, now()) }
  }

  /** How many connections are in a room now. */
  size (name: string): number {
    return this.#rooms.get(name)?.connections.size ?? 0
  }

  * connections (): Generator<Connection> {
    for (const room of this.#rooms.values()) yield * room.connections
  }

  /** Ends all connections of a room, or those of one user, so that each must be authorised anew. @returns how many there were */
  reset (name: string, userId?: string): number {
    const room = this.#rooms.get(name)
    if (room === undefined) return 0
    return room.endAll(closes.reset, userId === undefined ? undefined : (connection) => connection.userId === userId)
  }

  /** Something was stored of a document without its room, which reads it if it is open. @returns whether it is */
  readAgain (name: string): boolean {
    const room = this.#rooms.get(name)
    room?.siblings.fallBehind()
    return room !== undefined
  }

  /** How many connections of a room may edit, and whether one of them belongs to the session. */
  count (name: string, sessionKey: string): { count: number, exists: boolean } | undefined {
    const room = this.#rooms.get(name)
    if (room === undefined || room.connections.size === 0) return undefined
    const editing = [...room.connections].filter((connection) => connection.canEdit)
    return { count: editing.length, exists: editing.some((connection) => connection.sessionKey === sessionKey) }
  }

  /**
   * Lets nobody in any more, brings what has arrived into the store, tells it to those who wait for it, sends everybody
   * away and resolves when nothing is left to store.
   * @param patienceMs how long the connections are kept for a store that does not answer
   * @param spreadMs they are sent away one after the other over so long, since each comes back at once; until then they go on working
   */
  async close (reason: CloseReason = closes.restart, patienceMs = 3000, spreadMs = 0): Promise<void> {
    this.#isClosed = true
    const { saver, compactor, clock, pieces, reader } = this.#services
    compactor.stop()
    reader.stop()
    for (const room of this.#rooms.values()) room.tickNow()
    saver.hurry()
    await within(saver.flush(), patienceMs)
    await this.#sendAwayBitByBit(reason, spreadMs)
    clearInterval(this.#sweeper)
    for (const room of [...this.#rooms.values()]) {
      room.tickNow()
      room.endAll(reason)
    }
    await saver.flush()
    clock.stop()
    pieces.clear()
  }

  /** Room by room, so that people who work together are back together. */
  async #sendAwayBitByBit (reason: CloseReason, spreadMs: number): Promise<void> {
    const { now } = this.#services
    const connections = [...this.connections()]
    const startedAt = now()
    for (let gone = 0; gone < connections.length;) {
      const elapsed = now() - startedAt
      if (elapsed >= spreadMs) return
      const due = Math.ceil(connections.length * elapsed / spreadMs)
      for (; gone < due; gone++) connections[gone]?.end(reason)
      await new Promise((resolve) => { setTimeout(resolve, sendAwayEveryMs) })
    }
  }

  /** Resolves when everything that rooms have handed to the store is stored. For tests and tools. */
  flushed (): Promise<void> {
    for (const room of this.#rooms.values()) room.tickNow()
    return this.#services.saver.flush()
  }

  /** Resolves when no compaction is running or waiting. For tests and tools. */
  compactionIdle (): Promise<void> {
    return this.#services.compactor.idle()
  }

  #sweep (): void {
    const now = this.#services.now()
    const mustPing = ++this.#sweeps % pingEverySweeps === 0
    let isStreaming = false
    for (const room of [...this.#rooms.values()]) {
      room.sweep(now)
      isStreaming ||= room.isStreaming
      if (mustPing) for (const { socket } of room.connections) socket.ping()
    }
    if (!isStreaming) this.#services.pieces.clear()
    this.#services.remembered.sweep(now)
  }
}

function boundsFrom ({ maxDocumentClients, maxDocumentDeleteRanges }: Limits): DocumentBounds {
  return { clients: maxDocumentClients || Infinity, gaps: clientBounds.gaps, deleteRanges: maxDocumentDeleteRanges || Infinity }
}

/** Resolves with the promise or, where that takes too long, without it. */
async function within (promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promise, new Promise((resolve) => { timer = setTimeout(resolve, ms) })])
  clearTimeout(timer)
}
