import type { NodeId } from '../../bus/bus.ts'
import { absentState } from '../../protocol/awareness.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { scanUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import { LogPosition } from './log-position.ts'
import type { RoomMessage, SharedRoom } from './other-nodes.ts'
import { sharePresence } from '../presence/presence.ts'
import type { RecentUpdate } from '../save/recent-updates.ts'
import type { Room } from '../room.ts'

/** An update that another node has sent and has not called stored yet. */
interface Awaited {
  isStored: boolean
  /** The relayed update it went into, once it has been sent out; undefined too where it held nothing new */
  recent: RecentUpdate | undefined
}

/** An update for this room's connections that this node need not store. */
export interface Relayed {
  readonly scanned: ScannedUpdate
  /** undefined: it comes from the store */
  readonly awaited: Awaited | undefined
}

/** Messages that come while the room is being opened; more than this, and the store is read instead. */
const maxEarly = 1000
/** A hole in the log that lasts for this many sweeps is read from the store: whoever has filled it said nothing. */
const patientSweeps = 3

/** The same room on other nodes: what they say of it, and how far this one has what they have stored. */
export class Siblings implements SharedRoom {
  readonly name: string
  readonly position = new LogPosition()
  readonly #room: Room
  /** By node: its updates that are not known to be stored, in the order in which it sent them */
  readonly #awaited = new Map<NodeId, Awaited[]>()
  #relayed: Relayed[] = []
  /** What has come before the room was open */
  #early: Array<() => void> | undefined = []
  /** Log positions given to this node's updates since the others were told last */
  #given: number[] = []
  #toldUnsaved = 0
  /** How far the log had been read when something was missed first; undefined: nothing is missing */
  #unreadSince: number | undefined
  #timesBehind = 0
  #sweepsWithHole = 0
  #holeAt = 0

  constructor (room: Room) {
    this.name = room.name
    this.#room = room
  }

  get hasRelayed (): boolean { return this.#relayed.length > 0 }
  get relayed (): readonly Relayed[] { return this.#relayed }

  /** Takes what is to be sent out with the next tick. */
  takeRelayed (): readonly Relayed[] {
    const relayed = this.#relayed
    this.#relayed = []
    return relayed
  }

  /** The room has been read from the store and is open. */
  opened (lastSeq: number): void {
    this.position.reach(lastSeq)
    const early = this.#early ?? []
    this.#early = undefined
    for (const hear of early) hear()
  }

  /** This node's own update has been given a position in the log. */
  stored (seq: number): void {
    this.position.add(seq)
    if (this.#room.services.neighbours.areIn(this)) this.#given.push(seq)
  }

  // ---- what other nodes say

  greet (): RoomMessage[] {
    const { awareness, recent, services } = this.#room
    // Others speak for those who are connected to them; of who has left, their node may have closed the room since.
    const entries = awareness.all().filter(({ node, state }) => node === undefined || state === absentState)
    const unsaved = recent.all.filter(({ isStored, awaited }) => !isStored && awaited === 0)
    return [
      { type: 'greeting', lastSeq: this.position.highest, entries: sharePresence(entries, services.now()) },
      ...unsaved.map(({ update }) => ({ type: 'update' as const, update })),
    ]
  }

  heard (from: NodeId, message: RoomMessage): void {
    this.#whenOpen(() => { this.#hear(from, message) })
  }

  left (node: NodeId, isOrderly: boolean): void {
    this.#whenOpen(() => {
      if (isOrderly) this.#confirm(node, 0)
      else {
        this.#adopt(node)
        this.fallBehind()
      }
      this.#awaited.delete(node)
      if (this.#room.awareness.leaveNode(node, this.#room.services.now())) this.#room.requestTick()
    })
  }

  fallBehind (): void {
    this.#whenOpen(() => {
      this.#unreadSince = this.readUpTo
      this.#timesBehind++
      this.#room.services.reader.request(this.#room)
    })
  }

  /**
   * Up to here the room has the log for certain. What others call stored moves `position` on though this room may have missed
   * it: from the moment that something is missed until the store has been read, only what came before counts.
   */
  get readUpTo (): number {
    return Math.min(this.#unreadSince ?? Infinity, this.position.synced)
  }

  /** The store is about to be read from `readUpTo` on. @returns to be called when that has succeeded, with the last position read */
  beginReading (): (lastSeq: number) => void {
    const times = this.#timesBehind
    return (lastSeq) => {
      this.position.reach(lastSeq)
      if (this.#timesBehind === times) this.#unreadSince = undefined
    }
  }

  #whenOpen (hear: () => void): void {
    if (this.#early === undefined) hear()
    else if (this.#early.length < maxEarly) this.#early.push(hear)
    else if (this.#early.length === maxEarly) this.#early.push(() => { this.fallBehind() })
  }

  #hear (from: NodeId, message: RoomMessage): void {
    const room = this.#room
    switch (message.type) {
      case 'update':
        this.#hearUpdate(from, message.update)
        break
      case 'awareness':
        room.awareness.hear(from, message.entries, room.services.now())
        if (room.awareness.hasChanged) room.requestTick()
        break
      case 'greeting':
        this.#hearGreeting(from, message)
        break
      case 'stored':
        for (const seq of message.seqs) this.position.add(seq)
        this.#confirm(from, message.unsaved)
        break
      case 'read':
        this.fallBehind()
        break
      case 'compacted':
        room.resized(message.snapshotBytes, message.logBytes, message.logEntries)
        this.fallBehind()
        break
    }
  }

  #hearGreeting (from: NodeId, { lastSeq, entries }: Extract<RoomMessage, { type: 'greeting' }>): void {
    const { awareness, services } = this.#room
    // What it sent before and has not stored, it sends again now; what it has stored meanwhile does no harm twice.
    this.#adopt(from)
    this.#awaited.set(from, [])
    const present = entries.filter(({ state }) => state !== absentState)
    awareness.hear(from, entries, services.now())
    awareness.leaveNode(from, services.now(), new Set(present.map(({ clientId }) => clientId)))
    if (awareness.hasChanged) this.#room.requestTick()
    if (lastSeq > this.position.synced) this.fallBehind()
  }

  #hearUpdate (from: NodeId, update: Uint8Array): void {
    let scanned: ScannedUpdate
    try {
      scanned = scanUpdate(update)
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
      this.#room.services.logger.error({ err: error, room: this.name, node: from }, 'A node has sent an update that cannot be read; the store is read instead')
      this.fallBehind()
      return
    }
    const awaited: Awaited = { isStored: false, recent: undefined }
    const waiting = this.#awaited.get(from)
    if (waiting === undefined) this.#awaited.set(from, [awaited])
    else waiting.push(awaited)
    this.take(scanned, awaited)
  }

  /** Takes in an update from another node or, without `awaited`, from the store. */
  take (scanned: ScannedUpdate, awaited?: Awaited): void {
    const { known } = this.#room
    if (known.contains(scanned)) return
    known.add(scanned)
    this.#room.placement.add(scanned)
    this.#relayed.push({ scanned, awaited })
    this.#room.requestTick()
  }

  // ---- who stores what

  /** All but the last `unsaved` updates of a node are stored. */
  #confirm (node: NodeId, unsaved: number): void {
    const waiting = this.#awaited.get(node)
    if (waiting === undefined || waiting.length <= unsaved) return
    for (const awaited of waiting.splice(0, waiting.length - unsaved)) {
      awaited.isStored = true
      if (awaited.recent !== undefined) this.#room.recent.confirmed(awaited.recent)
    }
  }

  /** A node is gone, or has begun anew: this one stores what that one may not have stored. */
  #adopt (node: NodeId): void {
    const orphans = new Set(this.#awaited.get(node))
    if (orphans.size === 0) return
    const waiting = this.#relayed
    this.#relayed = []
    for (const relayed of waiting) {
      if (relayed.awaited !== undefined && orphans.has(relayed.awaited)) this.#room.adopt(relayed.scanned)
      else this.#relayed.push(relayed)
    }
    for (const { recent } of orphans) if (recent !== undefined) this.#room.adoptRecent(recent)
  }

  // ---- now and then

  /** Tells the others what is stored, and looks for what nobody has told. */
  sweep (): void {
    const { neighbours } = this.#room.services
    if (neighbours.areIn(this)) this.#tellStored()
    else this.#given = []
    if (!this.position.hasHole || this.position.synced !== this.#holeAt) {
      this.#sweepsWithHole = 0
      this.#holeAt = this.position.synced
    } else if (++this.#sweepsWithHole === patientSweeps) {
      this.#sweepsWithHole = 0
      this.fallBehind()
    }
  }

  #tellStored (): void {
    const unsaved = this.#room.recent.all.reduce((count, { isStored, awaited }) => count + (!isStored && awaited === 0 ? 1 : 0), 0)
    if (this.#given.length === 0 && unsaved === this.#toldUnsaved) return
    this.#room.services.neighbours.tell(this, { type: 'stored', unsaved, seqs: this.#given })
    this.#given = []
    this.#toldUnsaved = unsaved
  }
}
