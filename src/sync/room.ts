import { encodeAwareness, type AwarenessUpdate } from '../protocol/awareness.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import { encodeAwarenessMessage } from '../protocol/encode-message.ts'
import { MalformedMessage, type ClientMessage } from '../protocol/message.ts'
import { DamagedDocument, type SnapshotHead } from '../store/store.ts'
import { Known } from '../update/known.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import type { ClientRun, ScannedUpdate } from '../update/scan-update.ts'
import { AwarenessTable, type Presence } from './presence/awareness-table.ts'
import { broadcast } from './tick/broadcast.ts'
import { greet, joinFrom, sendPresence } from './join/catch-up.ts'
import type { Connection } from './connection.ts'
import { EarlyLeavers } from './receive/early-leavers.ts'
import { awarenessTimeoutMs, heavyUpdateBytes, keepaliveMs, manyParts } from './limits.ts'
import { inPieces } from './join/in-pieces.ts'
import { decodeKnown, knownOf } from './save/read-known.ts'
import { PendingUpdates } from './tick/pending-updates.ts'
import { Placement } from './receive/placement.ts'
import { sharePresence } from './presence/presence.ts'
import { receiveUpdate } from './receive/receive-update.ts'
import { messageOf, RecentUpdates, type Receipt, type RecentUpdate } from './save/recent-updates.ts'
import type { Services } from './services.ts'
import { SharedLoad } from './join/shared-load.ts'
import { nobody, RoomMessages } from './join/room-messages.ts'
import { Siblings, type Relayed } from './peers/remote-rooms.ts'
import { storedBytes, logBytes } from './save/stored-documents.ts'
import type { Ticking } from './tick/tick-clock.ts'
import { TickPace } from './tick/tick-pace.ts'
import { UncheckedTypes } from './receive/unchecked-types.ts'

/** Stored updates kept in memory so that those who reconnect after a blink need nothing from the store. */
const keepRecentBytes = 32 * 1024
/** The same while somebody is catching up and will want them. */
const keepRecentBytesForBehind = 1024 * 1024

/** A client that was asked what the room lacks is not asked again before it has answered, or has not for this long. */
const askAgainMs = 5000
/** Questions of one connection whether all is stored; an editor asks once or twice a second. */
const maxOpenQuestions = 10_000
/** While somebody is catching up, a log may grow to so many times what is worth a compaction otherwise. */
const patienceForBehind = 4

/**
 * The live side of a document in this process: a snapshot and a log in the store, the connections, who is present, and
 * what is known of the content. Never the document itself.
 */
export class Room implements Ticking {
  readonly name: string
  readonly services: Services
  readonly connections = new Set<Connection>()
  readonly awareness = new AwarenessTable()
  readonly recent = new RecentUpdates()
  /** What is stored, for those who join */
  readonly load = new SharedLoad(this.recent, () => this.services.stored.load(this.name))
  readonly siblings: Siblings
  readonly messages: RoomMessages
  readonly placement = new Placement(() => this.#readKeyed(), () => this.services.now())
  readonly uncheckedTypes = new UncheckedTypes()
  known = new Known()
  /** Bytes of the snapshot and of the log behind it, what waits for the store included */
  snapshotBytes = 0
  logBytes = 0
  logEntries = 0
  /** Generation of the snapshot whose content is known; 0 = none */
  generation = 0
  /** Engine time in ms when the log was last read from the store */
  readAt: number
  #phase: 'opening' | 'open' | 'closed' = 'opening'
  readonly #onEmpty: (room: Room) => void
  readonly #pending = new PendingUpdates()
  /** Who has sent what was here already, or has asked, and waits to hear that all is stored */
  #pendingRepeats: Receipt[] = []
  #tickRequested = false
  /** Engine time in ms when the first of what the next tick sends has arrived */
  #requestedAt = 0
  readonly #pace = new TickPace()
  #behind = 0
  #checking = 0
  /** Updates that are being taken in step by step */
  #adding = 0
  readonly #earlyLeavers = new EarlyLeavers()

  /** @param onEmpty called when nobody and nothing needs the room any more */
  constructor (name: string, services: Services, onEmpty: (room: Room) => void) {
    this.name = name
    this.services = services
    this.#onEmpty = onEmpty
    this.readAt = services.now()
    this.awareness.recall(services.remembered.take(name, this.readAt))
    this.siblings = new Siblings(this)
    this.messages = new RoomMessages(() => this.known, this.awareness, services.pacer)
    // Before it is read: what others store from now on, they tell.
    services.neighbours.opened(this.siblings)
    this.#open().catch((error: unknown) => { this.#failToOpen(error) })
  }

  get isOpen (): boolean { return this.#phase === 'open' }
  get isStreaming (): boolean { return this.#behind > 0 }

  // ---- coming and going

  add (connection: Connection): void {
    connection.room = this
    this.connections.add(connection)
    if (this.isOpen) this.#welcome(connection)
    else connection.hold()
  }

  remove (connection: Connection): void {
    if (!this.connections.delete(connection)) return
    if (!this.isOpen) this.#earlyLeavers.add(connection)
    if (this.awareness.leave(connection, this.services.now())) this.requestTick()
    this.releaseIfUnused()
  }

  /** Lets the room go where nobody is in it and everything is stored. */
  releaseIfUnused (): void {
    const isUsed = this.connections.size > 0 || this.recent.unsaved > 0 || this.#pending.all.length > 0 || this.#checking > 0 || this.#phase === 'opening'
    if (isUsed || this.#phase === 'closed') return
    this.#considerCompaction(true)
    this.#close()
  }

  #close (): void {
    this.#phase = 'closed'
    this.siblings.sweep()
    const { neighbours, remembered, now } = this.services
    neighbours.closed(this.siblings)
    remembered.keep(this.name, this.awareness.departed(), now())
    this.#onEmpty(this)
  }

  async #open (): Promise<void> {
    const { durations, now } = this.services
    const startedAt = now()
    const document = await this.repairing(async () => {
      const document = await this.services.stored.load(this.name)
      if (document !== undefined) this.known = await knownOf(this.name, document, this.services.work)
      return document
    })
    if (document !== undefined) {
      this.logBytes = logBytes(document)
      this.logEntries = document.log.length
      this.snapshotBytes = storedBytes(document) - this.logBytes
      this.generation = document.snapshot?.generation ?? 0
      // A snapshot was checked when it was made, its log was not.
      if (this.logEntries > 0) this.uncheckedTypes.startUnchecked()
    }
    durations.openings.observe(now() - startedAt)
    this.#phase = 'open'
    this.siblings.opened(document?.lastSeq ?? 0)
    // It stays until all have been heard, also where some of them are sent away.
    this.startChecking()
    this.#earlyLeavers.resume()
    for (const connection of [...this.connections]) {
      this.#welcome(connection)
      connection.resume()
    }
    this.stopChecking()
  }

  /**
   * Reads something of the stored document. Where that holds what Yjs cannot apply, stored by a version that took it, this
   * is set aside first.
   */
  async repairing<Read> (read: () => Promise<Read>): Promise<Read> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
      await this.services.compactor.repair(this.name)
      return await read()
    }
  }

  /** Nothing is answered from a load that failed. Damage is permanent and reported; all else may be better in a moment. */
  #failToOpen (error: unknown): void {
    const isDamaged = error instanceof DamagedDocument || error instanceof MalformedUpdate
    const { logger, outages } = this.services
    if (isDamaged) logger.error({ err: error, room: this.name }, 'The stored document is damaged; nobody can open it until it is restored')
    else outages.report('error', 'Failed to load a document', error, { room: this.name })
    this.#close()
    for (const connection of [...this.connections]) connection.end(isDamaged ? closes.damaged : closes.unavailable)
  }

  #welcome (connection: Connection): void {
    // A Hocuspocus client is asked when it has asked (`joinFrom`): it counts the answers to each of its own questions.
    const question = connection.speaksHocuspocus ? [] : [this.messages.step1()]
    greet(this, connection, [...question, ...this.messages.present()])
  }

  // ---- what clients say

  receive (connection: Connection, message: ClientMessage): void {
    this.services.counters.messages++
    switch (message.type) {
      case 'sync-step-1':
        joinFrom(this, connection, message.stateVector)
        break
      case 'sync-step-2':
        connection.askedAt = undefined
        receiveUpdate(this, connection, message.update, true)
        break
      case 'update':
        receiveUpdate(this, connection, message.update, false)
        break
      case 'awareness':
        this.#receiveAwareness(connection, message.states)
        break
      case 'query-awareness':
        sendPresence(this, connection)
        break
      case 'stored-question':
        this.#questionStored(connection, message.number)
        break
    }
  }

  #questionStored (connection: Connection, number: number): void {
    // While the store is down nothing is answered, and each question is kept.
    if (++connection.openQuestions > maxOpenQuestions) return connection.end(closes.tooMany)
    this.#acknowledgeWhenStored({
      acknowledge: () => {
        connection.openQuestions--
        connection.answerStored(number)
      },
    })
  }

  #receiveAwareness (connection: Connection, states: AwarenessUpdate): void {
    const { limits, counters, now } = this.services
    if (!connection.spend(states.count, now())) return
    try {
      counters.awarenessDropped += this.awareness.apply(states, connection, limits.maxAwarenessBytes, now())
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      counters.malformed++
      return connection.end(closes.malformed)
    }
    if (this.awareness.hasChanged) this.requestTick()
  }

  /** Takes an update that may be taken and was checked: it goes out with the next tick, and into the store. */
  take (connection: Connection, scanned: ScannedUpdate): void {
    if (!this.#mayTake(connection, scanned, () => this.known.wouldExceed(scanned, this.services.documentBounds))) return
    this.known.add(scanned)
    this.#taken(connection, scanned, this.known.missing(scanned))
  }

  /** The same for one of many parts, which would hold up all others on the event loop. */
  async takeBitByBit (connection: Connection, scanned: ScannedUpdate): Promise<void> {
    if (scanned.parts <= manyParts) return this.take(connection, scanned)
    const exceeds = await this.services.pacer.run(this.known.exceeding(scanned, this.services.documentBounds))
    if (connection.wasSentAway || !this.#mayTake(connection, scanned, () => exceeds)) return
    this.#adding++
    try {
      await this.services.pacer.run(this.known.adding(scanned))
    } finally {
      this.#adding--
    }
    // Whether it leans on other clients' structs is not looked up for so many: only gaps are seen.
    this.#taken(connection, scanned, this.known.hasGaps)
  }

  /** Answers an update that cannot be taken, or need not be. @returns whether it is to be taken */
  #mayTake (connection: Connection, scanned: ScannedUpdate, exceeds: () => boolean): boolean {
    const { counters, limits, saver } = this.services
    if (this.known.contains(scanned)) {
      counters.repeats++
      if (connection.speaksHocuspocus) this.#acknowledgeWhenStored(connection)
      return false
    }
    // Not before: a client that may edit but only reads answers step 1 too, with nothing new.
    if (saver.unsavedBytes > limits.maxUnsavedBytes) {
      connection.end(closes.unavailable)
      return false
    }
    const bytes = this.snapshotBytes + this.logBytes + this.#pending.bytes + scanned.bytes.length
    const isTooLarge = (limits.maxDocumentBytes > 0 && bytes > limits.maxDocumentBytes) || exceeds()
    if (isTooLarge) connection.end(closes.tooLarge)
    return !isTooLarge
  }

  #taken (connection: Connection, scanned: ScannedUpdate, lacksSomething: boolean): void {
    this.services.counters.updates++
    this.#pending.add(scanned, connection)
    this.placement.add(scanned)
    this.uncheckedTypes.add(scanned)
    if (lacksSomething) this.#askAgain(connection)
    this.requestTick()
  }

  /**
   * Checks where the structs of an update would lie in the document.
   * @throws MalformedUpdate where Yjs would throw because of them
   */
  async inspect (scanned: ScannedUpdate): Promise<void> {
    const isNested = scanned.needsInspection === 'types' || this.uncheckedTypes.areTooManyWith(scanned)
    if (isNested || scanned.bytes.length > heavyUpdateBytes) {
      await this.uncheckedTypes.whileChecking(scanned, () => this.services.stored.inspect(this.name, scanned.bytes, this.#inMemory))
    } else if (!await this.placement.allows(scanned)) {
      throw new MalformedUpdate('several values lie under one key', 0)
    }
  }

  async #readKeyed (): Promise<Float64Array | undefined> {
    try {
      return await this.services.stored.keyed(this.name, this.#inMemory)
    } catch (error) {
      this.services.outages.report('warn', 'Failed to look up where new text comes to lie; taking it without', error, { room: this.name })
      return undefined
    }
  }

  /** What may not be stored yet. */
  readonly #inMemory = (): Uint8Array[] => {
    const relayed = this.siblings.relayed.map(({ scanned }) => scanned.bytes)
    return [...this.recent.all.map(({ update }) => update), ...this.#pending.all.map(({ bytes }) => bytes), ...relayed]
  }

  /** The state vector may be long: who has been asked already answers that with all that it has. */
  #askAgain (connection: Connection): void {
    const now = this.services.now()
    if (connection.askedAt !== undefined && now - connection.askedAt < askAgainMs) return
    connection.askedAt = now
    connection.send([this.messages.step1()])
  }

  /** Somebody's update is being checked elsewhere, and will want the room. */
  startChecking (): void { this.#checking++ }

  stopChecking (): void {
    this.#checking--
    this.releaseIfUnused()
  }

  /** What holds nothing new may still be on its way to the store: then so is its acknowledgement. */
  #acknowledgeWhenStored (receipt: Receipt): void {
    if (this.#pending.all.length > 0 || this.siblings.hasRelayed || this.#adding > 0) this.#pendingRepeats.push(receipt)
    else this.recent.acknowledgeWhenStored(receipt)
  }

  // ---- the tick

  requestTick (): void {
    if (this.#tickRequested || this.#phase !== 'open') return
    this.#tickRequested = true
    this.#requestedAt = this.services.now()
    this.services.clock.request(this, this.#pace.dueAt(this.#requestedAt))
  }

  /** Does not wait for the tick: called before the connections are closed. */
  tickNow (): void {
    if (this.isOpen && this.#pending.all.length > 0) this.tick()
  }

  tick (): void {
    this.#tickRequested = false
    if (this.#phase !== 'open') return
    const { now, saver, counters, load, limits } = this.services
    const startedAt = now()
    const arrivedAt = this.#requestedAt
    const received = this.#pending.all.length + this.siblings.relayed.length
    const except = this.awareness.hasChanged || this.siblings.hasRelayed ? undefined : this.#pending.sender
    const relayed = this.#takeRelayed()
    const updates = this.#takePending()
    const presences = this.awareness.hasChanged ? this.awareness.takeChanged() : undefined
    const awareness = presences === undefined ? undefined : encodeAwarenessMessage(encodeAwareness(presences))
    broadcast(this, [...relayed, ...updates].map(messageOf), awareness, except)
    if (this.services.neighbours.areIn(this.siblings)) this.#tellOthers(updates, presences ?? [])
    for (const recent of updates) {
      saver.add({ entry: { document: this.name, update: recent.update }, saved: (seq) => { this.#saved(recent, seq, arrivedAt) } })
    }
    // What is still being taken in step by step goes out with a later tick, and so does what repeats it.
    if (this.#adding === 0) for (const receipt of this.#pendingRepeats.splice(0)) this.recent.acknowledgeWhenStored(receipt)
    counters.ticks++
    const endedAt = now()
    load.add(endedAt - startedAt, endedAt)
    this.#pace.ticked(startedAt, endedAt, received + (presences?.length ?? 0), load.value, limits.maxTickSpacingMs)
  }

  /** Large updates are read from the store, once they are there: the way between nodes stays free for small ones. */
  #tellOthers (updates: readonly RecentUpdate[], presences: readonly Presence[]): void {
    const { neighbours } = this.services
    for (const { update } of updates) {
      if (update.length <= heavyUpdateBytes) neighbours.tell(this.siblings, { type: 'update', update })
    }
    const own = presences.filter(({ node }) => node === undefined)
    if (own.length > 0) neighbours.tell(this.siblings, { type: 'awareness', entries: sharePresence(own, this.services.now()) })
  }

  #takePending (): RecentUpdate[] {
    if (this.#pending.all.length === 0) return []
    const { updates, acknowledge } = this.#pending.take()
    const merged = inPieces(updates, ({ bytes }) => bytes.length).map((group) => this.#add(group, undefined))
    merged.at(-1)?.acknowledge.push(...acknowledge)
    return merged
  }

  #takeRelayed (): RecentUpdate[] {
    if (!this.siblings.hasRelayed) return []
    return inPieces(this.siblings.takeRelayed(), ({ scanned }) => scanned.bytes.length).map((group) => this.#add(group.map(({ scanned }) => scanned), group))
  }

  #add (group: readonly ScannedUpdate[], relayed: readonly Relayed[] | undefined): RecentUpdate {
    const merged = mergeUpdates(group)
    // A lone update comes back as it is, a view of a larger network buffer, which it must not keep alive.
    const update = group.length === 1 ? new Uint8Array(merged) : merged
    const runs = group.length === 1 && group[0] !== undefined ? group[0].runs : group.flatMap(({ runs }) => [...runs])
    this.logBytes += update.length
    this.logEntries++
    if (relayed === undefined) return this.recent.add(update, runs)
    const awaited = relayed.flatMap(({ awaited }) => awaited === undefined || awaited.isStored ? [] : [awaited])
    const recent = this.recent.addRelayed(update, runs, awaited.length)
    for (const each of awaited) each.recent = recent
    return recent
  }

  /** @param arrivedAt engine time in ms when the first of its updates has arrived */
  #saved (recent: RecentUpdate, seq: number, arrivedAt: number): void {
    const { durations, now } = this.services
    durations.acknowledgements.observe(now() - arrivedAt)
    this.recent.saved(recent)
    this.siblings.stored(seq)
    if (recent.update.length > heavyUpdateBytes) this.services.neighbours.tell(this.siblings, { type: 'read' })
    if (recent.acknowledge.length > 0) {
      const counts = new Map<Receipt, number>()
      for (const receipt of recent.acknowledge) counts.set(receipt, (counts.get(receipt) ?? 0) + 1)
      for (const [receipt, count] of counts) receipt.acknowledge(count)
      recent.acknowledge = []
    }
    this.recent.trim(this.#behind > 0 ? keepRecentBytesForBehind : keepRecentBytes, Infinity)
    this.#considerCompaction(false)
    this.releaseIfUnused()
  }

  // ---- for siblings.ts

  /** Stores and sends out an update whose node is gone. It is known here already. */
  adopt (scanned: ScannedUpdate): void {
    this.#pending.add(scanned, undefined)
    this.requestTick()
  }

  /** The same for one that was sent out. */
  adoptRecent (recent: RecentUpdate): void {
    if (!this.recent.adopt(recent)) return
    const adoptedAt = this.services.now()
    this.services.saver.add({ entry: { document: this.name, update: recent.update }, saved: (seq) => { this.#saved(recent, seq, adoptedAt) } })
  }

  /** Another node has compacted the document. */
  resized (snapshotBytes: number, logBytes: number, logEntries: number): void {
    this.snapshotBytes = snapshotBytes
    this.logBytes = Math.max(0, this.logBytes - logBytes)
    this.logEntries = Math.max(0, this.logEntries - logEntries)
  }

  // ---- for catch-up.ts

  /** Whether what a reader lacks is in memory, or about to be sent to all. @param lacked as `Known.lackedBy` returns it, without gaps */
  holdsInMemory (lacked: ReadonlyMap<number, number>): boolean {
    const lacking = new Map<number, ClientRun[]>()
    for (const client of lacked.keys()) lacking.set(client, [])
    const relayed = this.siblings.relayed.map(({ scanned }) => scanned)
    for (const { runs } of [...this.recent.all, ...this.#pending.all, ...relayed]) {
      for (const run of runs) lacking.get(run.client)?.push(run)
    }
    for (const [client, runs] of lacking) {
      let held = lacked.get(client) ?? 0
      for (const run of runs.sort((a, b) => a.clock - b.clock)) if (run.clock <= held) held = Math.max(held, run.end)
      if (held < this.known.stateVector.get(client)) return false
    }
    return true
  }

  startStreaming (): void { this.#behind++ }

  stopStreaming (): void {
    this.#behind--
    if (this.#behind > 0) return
    this.messages.forget()
    this.load.forget()
    this.#considerCompaction(false)
  }

  // ---- upkeep

  #considerCompaction (isLeaving: boolean): void {
    const patience = this.#behind > 0 && !isLeaving ? patienceForBehind : 1
    const { snapshotBytes, logBytes, logEntries } = this
    this.services.compactor.consider(this.name, { snapshotBytes, logBytes: logBytes / patience, logEntries: logEntries / patience }, isLeaving)
  }

  /** The snapshot has taken in that much of the log; its delete set also holds what merging deleted. */
  compacted (head: SnapshotHead, log: { readonly bytes: number, readonly entries: number }): void {
    this.resized(head.bytes, log.bytes, log.entries)
    if (head.upTo <= this.siblings.readUpTo) {
      this.generation = head.generation
      this.#addDeletesOf(head)
    } else {
      // It may hold what other nodes have stored and this room has yet to read and tell, deletions too.
      this.siblings.fallBehind()
    }
    this.services.neighbours.tell(this.siblings, { type: 'compacted', snapshotBytes: head.bytes, logBytes: log.bytes, logEntries: log.entries })
  }

  #addDeletesOf ({ known }: SnapshotHead): void {
    decodeKnown(this.name, known, this.services.work)
      .then(({ deleteSet }) => { this.known.addDeletes(deleteSet) })
      .catch((error: unknown) => {
        this.services.outages.report('warn', 'Failed to read what a new snapshot holds; reading the store instead', error, { room: this.name })
        this.siblings.fallBehind()
      })
  }

  /** Called every few seconds: what has expired, who is silent, who must hear something. */
  sweep (now: number): void {
    this.placement.sweep(now)
    if (this.awareness.expire(now, awarenessTimeoutMs)) this.requestTick()
    for (const connection of this.connections) {
      const { socket } = connection
      if (now - socket.heardAt > this.services.limits.silenceMs) connection.end(closes.silent)
      else if (connection.hasStalled(now)) connection.end(closes.tooSlow)
      else if (this.isOpen && now - socket.writtenAt > keepaliveMs) connection.send([nobody])
    }
    if (this.isOpen) this.siblings.sweep()
    if (this.#behind > 0) return
    this.messages.forget()
    if (this.recent.areStored) this.recent.trim(0, Infinity)
  }

  endAll (reason: CloseReason, which: (connection: Connection) => boolean = () => true): number {
    const ending = [...this.connections].filter(which)
    for (const connection of ending) connection.end(reason)
    return ending.length
  }
}
