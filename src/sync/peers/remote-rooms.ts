import type { NodeId } from '../../bus/bus.ts'
import { absentState } from '../../protocol/awareness.ts'
import type { SnapshotHead } from '../../store/store.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { scanUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import type { RoomContent } from '../content.ts'
import { heavyUpdateBytes } from '../limits.ts'
import type { AwarenessTable, Presence } from '../presence/awareness-table.ts'
import { sharePresence } from '../presence/share-presence.ts'
import { DeletedDocument } from '../save/lifetime.ts'
import type { RecentUpdate } from '../save/recent-update.ts'
import type { Services } from '../services.ts'
import { AwaitedUpdate } from './awaited-update.ts'
import { LogPosition } from './log-position.ts'
import type { ReadableLog } from './log-reader.ts'
import type { RoomMessage, SharedRoom } from './other-nodes.ts'
import { readMissing } from './read-missing.ts'

/** The room of this process whose remote rooms these are. */
export interface LocalRoom {
  requestTick (): void
  /** Stores an update that was sent out and that another node was to store. */
  save (recent: RecentUpdate): void
  /** The document was deleted. */
  deleted (): void
}

/** The services that exchange updates with other nodes. */
export type RemoteRoomServices =
  Pick<Services, 'otherNodes' | 'reader' | 'stored' | 'work' | 'turns' | 'counters' | 'outages' | 'logger' | 'now'>

/** Messages kept while the room is being opened; beyond this, the store is read instead. */
const maxEarly = 1000
/** Sweeps after which a hole in the log is read from the store: the node that has filled it has not reported it. */
const patientSweeps = 3

/** The same room on other nodes: what they send, and how much of what they have stored this room has. */
export class RemoteRooms implements SharedRoom, ReadableLog {
  readonly name: string
  readonly #content: RoomContent
  readonly #awareness: AwarenessTable
  readonly #services: RemoteRoomServices
  readonly #room: LocalRoom
  readonly #position = new LogPosition()
  /** By node: its updates that it has not reported as stored, in the order in which it sent them */
  readonly #awaited = new Map<NodeId, AwaitedUpdate[]>()
  /** Messages that arrived before the room was open; undefined: it is open */
  #early: Array<() => void> | undefined = []
  /** Log positions of this node's updates that were not reported to the other nodes */
  #unreported: number[] = []
  #reportedUnsaved = 0
  /** How far the log had been read when something was missed first; undefined: nothing is missing */
  #unreadSince: number | undefined
  #timesBehind = 0
  #sweepsWithHole = 0
  #holeAt = 0
  #readAt: number

  constructor (content: RoomContent, awareness: AwarenessTable, services: RemoteRoomServices, room: LocalRoom) {
    this.name = content.name
    this.#content = content
    this.#awareness = awareness
    this.#services = services
    this.#room = room
    this.#readAt = services.now()
  }

  get isOpen (): boolean { return this.#content.isOpen }
  get readAt (): number { return this.#readAt }

  /** The room is being opened; to be called before it is read from the store. */
  opening (): void { this.#services.otherNodes.opened(this) }

  /** The room has been read from the store. @param lastSeq the last position of its log */
  opened (lastSeq: number): void {
    this.#position.reach(lastSeq)
    const early = this.#early ?? []
    this.#early = undefined
    for (const process of early) process()
  }

  closed (): void {
    this.sweep()
    this.#services.otherNodes.closed(this)
  }

  // ---- to the other nodes

  /** Sends what a tick has sent to this node's clients. */
  send (updates: readonly RecentUpdate[], presences: readonly Presence[]): void {
    const { otherNodes, now } = this.#services
    if (!otherNodes.isOpenElsewhere(this)) return
    for (const { update } of updates) {
      // Large updates are read from the store later: the links stay free for small ones.
      if (update.length <= heavyUpdateBytes) otherNodes.send(this, { type: 'update', update })
    }
    const own = presences.filter(({ node }) => node === undefined)
    if (own.length > 0) otherNodes.send(this, { type: 'awareness', entries: sharePresence(own, now()) })
  }

  /** An update of this node was stored at this position of the log. */
  stored ({ update }: RecentUpdate, seq: number): void {
    const { otherNodes } = this.#services
    this.#position.add(seq)
    if (!otherNodes.isOpenElsewhere(this)) return
    this.#unreported.push(seq)
    if (update.length > heavyUpdateBytes) otherNodes.send(this, { type: 'read' })
  }

  /** This node has compacted the document. @param log what was removed from the log */
  compacted (head: SnapshotHead, log: { readonly bytes: number, readonly entries: number }): void {
    this.#content.resize(head.bytes, log)
    if (head.upTo <= this.#readUpTo) {
      this.#content.haveSnapshot(head.generation)
      this.#content.addDeletesOf(head).catch((error: unknown) => {
        const event = 'Failed to read what a new snapshot holds; reading the store instead'
        this.#services.outages.report('warn', event, error, { room: this.name })
        this.mustReadStore()
      })
    } else {
      // It can hold what other nodes have stored and this room has yet to read and send, deletions too.
      this.mustReadStore()
    }
    const sizes = { snapshotBytes: head.bytes, logBytes: log.bytes, logEntries: log.entries }
    this.#services.otherNodes.send(this, { type: 'compacted', ...sizes })
  }

  introduce (): RoomMessage[] {
    // Other nodes speak for the clients that are connected to them; a client that has left is remembered by any node,
    // since its own may have closed the room meanwhile.
    const entries = this.#awareness.all().filter(({ node, state }) => node === undefined || state === absentState)
    const lastSeq = this.#position.highest
    return [
      { type: 'introduction', lastSeq, entries: sharePresence(entries, this.#services.now()) },
      ...this.#unsaved().map(({ update }) => ({ type: 'update' as const, update })),
    ]
  }

  #unsaved (): RecentUpdate[] { return this.#content.recent.all.filter(({ isUnsaved }) => isUnsaved) }

  // ---- from the other nodes

  received (from: NodeId, message: RoomMessage): void {
    this.#whenOpen(() => { this.#process(from, message) })
  }

  left (node: NodeId, isOrderly: boolean): void {
    this.#whenOpen(() => {
      if (isOrderly) this.#confirm(node, 0)
      else {
        this.#adopt(node)
        this.mustReadStore()
      }
      this.#awaited.delete(node)
      if (this.#awareness.leaveNode(node, this.#services.now())) this.#room.requestTick()
    })
  }

  mustReadStore (): void {
    this.#whenOpen(() => {
      this.#unreadSince = this.#readUpTo
      this.#timesBehind++
      this.#services.reader.request(this)
    })
  }

  mustHave (seq: number): void {
    this.#whenOpen(() => { if (seq > this.#readUpTo) this.mustReadStore() })
  }

  #whenOpen (process: () => void): void {
    if (this.#early === undefined) process()
    else if (this.#early.length < maxEarly) this.#early.push(process)
    else if (this.#early.length === maxEarly) this.#early.push(() => { this.mustReadStore() })
  }

  #process (from: NodeId, message: RoomMessage): void {
    switch (message.type) {
      case 'update':
        this.#processUpdate(from, message.update)
        break
      case 'awareness':
        this.#awareness.applyRemote(from, message.entries, this.#services.now())
        this.#tickIfChanged()
        break
      case 'introduction':
        this.#processIntroduction(from, message)
        break
      case 'stored':
        for (const seq of message.seqs) this.#position.add(seq)
        this.#confirm(from, message.unsaved)
        break
      case 'read':
        this.mustReadStore()
        break
      case 'compacted':
        this.#content.resize(message.snapshotBytes, { bytes: message.logBytes, entries: message.logEntries })
        this.mustReadStore()
        break
    }
  }

  #processIntroduction (from: NodeId, { lastSeq, entries }: Extract<RoomMessage, { type: 'introduction' }>): void {
    const now = this.#services.now()
    // The node sends again whatever it has not stored; storing an update twice does no harm.
    this.#adopt(from)
    this.#awaited.set(from, [])
    const present = entries.filter(({ state }) => state !== absentState)
    this.#awareness.applyRemote(from, entries, now)
    this.#awareness.leaveNode(from, now, new Set(present.map(({ clientId }) => clientId)))
    this.#tickIfChanged()
    if (lastSeq > this.#position.synced) this.mustReadStore()
  }

  #tickIfChanged (): void { if (this.#awareness.hasChanged) this.#room.requestTick() }

  #processUpdate (from: NodeId, update: Uint8Array): void {
    let scanned: ScannedUpdate
    try {
      scanned = scanUpdate(update)
    } catch (err) {
      if (!(err instanceof MalformedUpdate)) throw err
      const event = 'Failed to read an update of another node; reading the store instead'
      this.#services.logger.error({ err, room: this.name, node: from }, event)
      this.mustReadStore()
      return
    }
    const awaited = new AwaitedUpdate()
    const waiting = this.#awaited.get(from)
    if (waiting === undefined) this.#awaited.set(from, [awaited])
    else waiting.push(awaited)
    this.#relay(scanned, awaited)
  }

  readonly #relay = (scanned: ScannedUpdate, awaited?: AwaitedUpdate): void => {
    if (this.#content.relay(scanned, awaited)) this.#room.requestTick()
  }

  // ---- which node stores an update

  /** All but the last `unsaved` updates of a node are stored. */
  #confirm (node: NodeId, unsaved: number): void {
    const waiting = this.#awaited.get(node)
    if (waiting === undefined || waiting.length <= unsaved) return
    for (const awaited of waiting.splice(0, waiting.length - unsaved)) {
      awaited.markStored()
      if (awaited.recent !== undefined) this.#content.recent.confirmed(awaited.recent)
    }
  }

  /** A node has crashed or has restarted its link: this one stores what that one may not have stored. */
  #adopt (node: NodeId): void {
    const orphans = new Set(this.#awaited.get(node))
    if (orphans.size === 0) return
    for (const scanned of this.#content.relayed.takeOrphans(orphans)) {
      this.#content.pending.add(scanned, undefined)
      this.#room.requestTick()
    }
    for (const { recent } of orphans) {
      if (recent !== undefined && this.#content.recent.adopt(recent)) this.#room.save(recent)
    }
  }

  // ---- the log

  /**
   * The position up to which the room certainly has the log. Reports of other nodes advance `#position` although this
   * room may have missed an update: from the moment that something is missed until the store has been read, only what
   * came before counts.
   */
  get #readUpTo (): number { return Math.min(this.#unreadSince ?? Infinity, this.#position.synced) }

  async read (): Promise<void> {
    const { counters, now } = this.#services
    this.#readAt = now()
    await this.#content.repairing(async () => {
      const times = this.#timesBehind
      this.#position.reach(await readMissing(this.#content, this.#readUpTo, this.#services, this.#relay))
      if (this.#timesBehind === times) this.#unreadSince = undefined
    }).catch((error: unknown) => {
      if (!(error instanceof DeletedDocument)) throw error
      this.#room.deleted()
    })
    // What was written over HTTP is in the log, and no room has stored it.
    this.#content.considerCompaction(false)
    counters.count('logReads')
  }

  /** Reports what is stored, and notices what no node has reported. Called every few seconds. */
  sweep (): void {
    if (this.#services.otherNodes.isOpenElsewhere(this)) this.#reportStored()
    else this.#unreported = []
    if (!this.#position.hasHole || this.#position.synced !== this.#holeAt) {
      this.#sweepsWithHole = 0
      this.#holeAt = this.#position.synced
    } else if (++this.#sweepsWithHole === patientSweeps) {
      this.#sweepsWithHole = 0
      this.mustReadStore()
    }
  }

  #reportStored (): void {
    const unsaved = this.#unsaved().length
    if (this.#unreported.length === 0 && unsaved === this.#reportedUnsaved) return
    this.#services.otherNodes.send(this, { type: 'stored', unsaved, seqs: this.#unreported })
    this.#unreported = []
    this.#reportedUnsaved = unsaved
  }
}
