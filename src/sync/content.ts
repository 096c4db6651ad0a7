import type { SnapshotHead, StoredDocument } from '../store/store.ts'
import { Known } from '../update/known.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import type { ClientRun, ScannedUpdate } from '../update/scan-update.ts'
import type { Connection } from './connection.ts'
import { ContentMessages } from './join/content-messages.ts'
import { SharedLoad } from './join/shared-load.ts'
import { heavyUpdateBytes } from './limits.ts'
import type { AwaitedUpdate } from './peers/awaited-update.ts'
import { RelayedUpdates } from './peers/relayed-updates.ts'
import { Placement } from './receive/placement.ts'
import { UncheckedTypes } from './receive/unchecked-types.ts'
import type { Sizes } from './save/compactor.ts'
import { Lifetime } from './save/lifetime.ts'
import { decodeKnown, knownOf } from './save/read-known.ts'
import type { RecentUpdate } from './save/recent-update.ts'
import { RecentUpdates } from './save/recent-updates.ts'
import { logBytes, storedBytes } from './save/stored-documents.ts'
import type { Services } from './services.ts'
import { mergeTick } from './tick/merge-tick.ts'
import { PendingUpdates } from './tick/pending-updates.ts'

/** Bytes of stored updates kept in memory: clients that reconnect within seconds need nothing from the store. */
const keepRecentBytes = 32 * 1024
/** The same while a client is catching up and will need them. */
const keepRecentBytesForCatchUp = 1024 * 1024
/** The factor by which a log can exceed the size for a compaction while a client is catching up. */
const patienceForCatchUp = 4

/** The services that read, check and compact the content of a room. */
export type ContentServices =
  Pick<Services, 'stored' | 'tombstones' | 'work' | 'compactor' | 'turns' | 'outages' | 'limits' | 'now'>

/**
 * What a room knows about its document: state vector and delete set, the updates that are not stored yet, and the size
 * of the stored snapshot and log. Never the document itself.
 */
export class RoomContent {
  readonly name: string
  readonly recent = new RecentUpdates()
  readonly pending = new PendingUpdates()
  readonly relayed = new RelayedUpdates()
  /** What is stored, for clients that join */
  readonly load: SharedLoad
  readonly messages: ContentMessages
  /** Tells the document from deleted ones of the same name */
  readonly lifetime: Lifetime
  readonly #services: ContentServices
  readonly #placement: Placement
  readonly #uncheckedTypes = new UncheckedTypes()
  #known = new Known()
  #isOpen = false
  #snapshotBytes = 0
  #logBytes = 0
  #logEntries = 0
  #generation = 0
  /** How many connections are being sent the document or presence in several turns */
  #behind = 0
  /** How many updates are being added step by step */
  #adding = 0

  constructor (name: string, services: ContentServices) {
    this.name = name
    this.#services = services
    this.lifetime = new Lifetime(name, services.tombstones)
    this.load = new SharedLoad(this.recent, () => services.stored.load(name))
    this.messages = new ContentMessages(() => this.#known, services.turns)
    this.#placement = new Placement(() => this.#readKeyed(), services.now)
  }

  /** State vector and delete set of everything that the room has */
  get known (): Known { return this.#known }
  /** Generation of the snapshot whose content is known; 0 = none */
  get generation (): number { return this.#generation }
  get isOpen (): boolean { return this.#isOpen }
  /** Whether a connection is being sent the document or presence in several turns. */
  get isStreaming (): boolean { return this.#behind > 0 }
  /** Bytes of the whole document, as far as it is known here */
  get bytes (): number { return this.#snapshotBytes + this.#logBytes + this.pending.bytes }
  /** Bytes of the stored snapshot and log, updates that are on their way to the store included */
  get sizes (): Sizes {
    return { snapshotBytes: this.#snapshotBytes, logBytes: this.#logBytes, logEntries: this.#logEntries }
  }

  /** Whether updates wait for this node's store. */
  get isUnsaved (): boolean { return this.recent.unsaved > 0 || this.pending.all.length > 0 }
  /** Whether every update that the room has taken went out with a tick. */
  get isSentOut (): boolean { return this.pending.all.length === 0 && this.relayed.count === 0 && this.#adding === 0 }

  // ---- the stored document

  /**
   * Reads what is stored of the document.
   * @returns the last position of its log; 0: nothing is stored
   * @throws DeletedDocument
   */
  async readStored (): Promise<number> {
    const { stored, work } = this.#services
    const document = await this.repairing(async () => {
      const document = await stored.load(this.name)
      if (document !== undefined) this.#known = await knownOf(this.name, document, work)
      return document
    })
    await this.lifetime.begin(document, this.#known)
    if (document !== undefined) this.#measure(document)
    return document?.lastSeq ?? 0
  }

  /** The content is known from now on. */
  open (): void { this.#isOpen = true }

  close (): void { this.#isOpen = false }

  #measure (document: StoredDocument): void {
    this.#logBytes = logBytes(document)
    this.#logEntries = document.log.length
    this.#snapshotBytes = storedBytes(document) - this.#logBytes
    this.#generation = document.snapshot?.generation ?? 0
    // A snapshot was checked when it was made, its log was not.
    if (this.#logEntries > 0) this.#uncheckedTypes.startUnchecked()
  }

  /**
   * Reads something of the stored document. Updates in it that Yjs cannot apply, stored by an earlier version, are set
   * aside first.
   */
  async repairing<Read> (read: () => Promise<Read>): Promise<Read> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof MalformedUpdate)) throw error
      await this.#services.compactor.repair(this.name)
      return await read()
    }
  }

  /** A compaction, here or on another node, has changed the size of the stored document. */
  resize (snapshotBytes: number, log: { readonly bytes: number, readonly entries: number }): void {
    this.#snapshotBytes = snapshotBytes
    this.#logBytes = Math.max(0, this.#logBytes - log.bytes)
    this.#logEntries = Math.max(0, this.#logEntries - log.entries)
  }

  /** The room has everything that the snapshot of this generation holds. */
  haveSnapshot (generation: number): void { this.#generation = generation }

  /** Adds the deletions of a new snapshot, which also hold those that merging has made. */
  async addDeletesOf ({ known }: SnapshotHead): Promise<void> {
    const { deleteSet } = await decodeKnown(this.name, known, this.#services.work)
    this.#known.addDeletes(deleteSet)
  }

  /** Has the document compacted, if that is worth it. @param isLeaving whether the last connection leaves */
  considerCompaction (isLeaving: boolean): void {
    const patience = this.isStreaming && !isLeaving ? patienceForCatchUp : 1
    const { snapshotBytes, logBytes, logEntries } = this.sizes
    const sizes = { snapshotBytes, logBytes: logBytes / patience, logEntries: logEntries / patience }
    this.#services.compactor.consider(this.name, sizes, isLeaving)
  }

  // ---- checks

  /** Whether an update must be checked against the whole document before it is taken. */
  mustInspect (scanned: ScannedUpdate): boolean {
    return scanned.needsInspection !== false || this.#uncheckedTypes.areTooManyWith(scanned)
  }

  /**
   * Checks where the structs of an update would lie in the document.
   * @throws MalformedUpdate if Yjs would throw because of them
   */
  async inspect (scanned: ScannedUpdate): Promise<void> {
    const isNested = scanned.needsInspection === 'types' || this.#uncheckedTypes.areTooManyWith(scanned)
    if (isNested || scanned.bytes.length > heavyUpdateBytes) {
      await this.#uncheckedTypes.whileChecking(scanned, () => this.#inspectInDocument(scanned))
    } else if (!await this.#placement.allows(scanned)) {
      throw new MalformedUpdate('several values lie under one key', 0)
    }
  }

  async #inspectInDocument ({ bytes }: ScannedUpdate): Promise<void> {
    await this.#services.stored.inspect(this.name, bytes, this.#inMemory)
  }

  async #readKeyed (): Promise<Float64Array | undefined> {
    try {
      return await this.#services.stored.keyed(this.name, this.#inMemory)
    } catch (error) {
      const event = 'Failed to read where a document holds keyed values; taking updates without that check'
      this.#services.outages.report('warn', event, error, { room: this.name })
      return undefined
    }
  }

  /** Updates that the store may lack. */
  readonly #inMemory = (): Uint8Array[] => [
    ...this.recent.all.map(({ update }) => update),
    ...this.pending.all.map(({ bytes }) => bytes),
    ...this.relayed.all.map(({ bytes }) => bytes),
  ]

  // ---- updates

  /** Takes a checked update of a client. @returns whether the room lacks something that it builds on */
  take (connection: Connection, scanned: ScannedUpdate): boolean {
    this.#known.add(scanned)
    this.#taken(connection, scanned)
    return this.#known.missing(scanned)
  }

  /** The same for an update of many parts, which would block the event loop. */
  async takeBitByBit (connection: Connection, scanned: ScannedUpdate): Promise<boolean> {
    this.#adding++
    try {
      await this.#services.turns.run(this.#known.adding(scanned))
    } finally {
      this.#adding--
    }
    this.#taken(connection, scanned)
    // Structs of other clients are not looked up for so many parts: only gaps are seen.
    return this.#known.hasGaps
  }

  #taken (connection: Connection, scanned: ScannedUpdate): void {
    this.pending.add(scanned, connection)
    this.#placement.add(scanned)
    this.#uncheckedTypes.add(scanned)
  }

  /**
   * Takes an update that this node need not store. One of another node can belong to a document that was deleted, of
   * which that node has not heard.
   * @param awaited the same update, if another node is to store it
   * @returns whether it holds anything new
   */
  relay (scanned: ScannedUpdate, awaited?: AwaitedUpdate): boolean {
    if (this.#known.contains(scanned) || (awaited !== undefined && this.lifetime.excludes(scanned))) return false
    this.#known.add(scanned)
    this.#placement.add(scanned)
    this.relayed.add(scanned, awaited)
    return true
  }

  /** Merges the relayed updates, to be sent out with a tick. */
  takeRelayed (): RecentUpdate[] {
    if (this.relayed.count === 0) return []
    return mergeTick(this.relayed.take(), ({ scanned }) => scanned).map(({ framed, runs, parts }) => {
      this.#grow(framed.update)
      const awaited = parts.flatMap(({ awaited }) => awaited === undefined || awaited.isStored ? [] : [awaited])
      const recent = this.recent.addRelayed(framed, runs, awaited.length)
      for (const each of awaited) each.sentOutIn(recent)
      return recent
    })
  }

  /** Merges the pending updates, to be sent out with a tick and stored. */
  takePending (): RecentUpdate[] {
    if (this.pending.all.length === 0) return []
    const { updates, senders, authors } = this.pending.take()
    const merged = mergeTick(updates, (scanned) => scanned).map(({ framed, runs }) => {
      this.#grow(framed.update)
      return this.recent.add(framed, runs, authors)
    })
    merged.at(-1)?.notifyWhenStored(senders)
    return merged
  }

  #grow (update: Uint8Array): void {
    this.#logBytes += update.length
    this.#logEntries++
  }

  /** An update is stored. */
  saved (recent: RecentUpdate): void {
    this.recent.saved(recent)
    recent.acknowledge()
    this.recent.trim(this.isStreaming ? keepRecentBytesForCatchUp : keepRecentBytes)
    this.considerCompaction(false)
  }

  // ---- clients that catch up

  /**
   * Whether everything that a reader lacks is in memory, or about to be sent to all.
   * @param lacked as `Known.lackedBy` returns it, without gaps
   */
  holdsInMemory (lacked: ReadonlyMap<number, number>): boolean {
    const lacking = new Map<number, ClientRun[]>()
    for (const client of lacked.keys()) lacking.set(client, [])
    for (const { runs } of [...this.recent.all, ...this.pending.all, ...this.relayed.all]) {
      for (const run of runs) lacking.get(run.client)?.push(run)
    }
    for (const [client, runs] of lacking) {
      let held = lacked.get(client) ?? 0
      for (const run of runs.sort((a, b) => a.clock - b.clock)) if (run.clock <= held) held = Math.max(held, run.end)
      if (held < this.#known.stateVector.get(client)) return false
    }
    return true
  }

  /** A connection is catching up: what it will need stays in memory until `stopStreaming`. */
  startStreaming (): void { this.#behind++ }

  stopStreaming (): void {
    if (--this.#behind > 0) return
    this.messages.forget()
    this.load.forget()
    this.considerCompaction(false)
  }

  /** Frees memory that no client needs at the moment. Called every few seconds, with the engine time in ms. */
  sweep (now: number): void {
    this.#placement.sweep(now)
    if (this.isStreaming) return
    this.messages.forget()
    if (this.recent.areStored) this.recent.trim(0)
  }
}
