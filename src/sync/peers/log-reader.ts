import type { StoredDocument } from '../../store/store.ts'
import { unpackScan } from '../../update/packed-scan.ts'
import { scanUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import { heavyUpdateBytes } from '../limits.ts'
import { decodeKnown } from '../save/read-known.ts'
import type { Room } from '../room.ts'
import type { Services } from '../services.ts'
import { SnapshotReplaced } from '../save/stored-documents.ts'

/** Documents read at the same time: a thousand rooms that are all behind must not take every connection to the store. */
const maxRunning = 4
/** What could not be read is tried again this often; and which rooms are due is looked for as often. */
const lookEveryMs = 1000
/** Of all rooms that are due, at most this many are read each time. */
const maxDue = 100
/** Log entries are taken in until this much has been read, then others have their turn. */
const turnBytes = 64 * 1024

/** Brings rooms up to what other nodes have stored: those that are behind at once, each now and then. */
export class LogReader {
  readonly #rooms: ReadonlyMap<string, Room>
  readonly #services: () => Services
  readonly #queue = new Set<Room>()
  #failed: Room[] = []
  #running = 0
  #timer: NodeJS.Timeout | undefined

  /** @param rooms those that are open */
  constructor (rooms: ReadonlyMap<string, Room>, services: () => Services) {
    this.#rooms = rooms
    this.#services = services
    this.#timer = setInterval(() => { this.#look() }, lookEveryMs)
    this.#timer.unref()
  }

  /** Reads a room's log as soon as others before it are read. */
  request (room: Room): void {
    this.#queue.add(room)
    this.#next()
  }

  stop (): void {
    clearInterval(this.#timer)
    this.#queue.clear()
    this.#failed = []
  }

  #next (): void {
    for (const room of this.#queue) {
      if (this.#running === maxRunning) return
      this.#queue.delete(room)
      if (!room.isOpen) continue
      this.#running++
      this.#read(room)
        .catch((error: unknown) => { this.#hasFailed(room, error) })
        .finally(() => {
          this.#running--
          this.#next()
        })
    }
  }

  async #read (room: Room): Promise<void> {
    room.readAt = room.services.now()
    await room.repairing(() => readMissing(room))
    room.services.counters.logReads++
  }

  #hasFailed (room: Room, error: unknown): void {
    if (!(error instanceof SnapshotReplaced)) room.services.outages.report('warn', 'Failed to read what other nodes have stored; retrying', error, { room: room.name })
    this.#failed.push(room)
  }

  #look (): void {
    for (const room of this.#failed.splice(0)) this.request(room)
    const { neighbours: { readEveryMs }, now } = this.#services()
    if (readEveryMs === 0) return
    const before = now() - readEveryMs
    let due = maxDue - this.#queue.size
    for (const room of this.#rooms.values()) {
      if (due <= 0) return
      if (!room.isOpen || room.readAt > before) continue
      this.request(room)
      due--
    }
  }
}

/** Takes in what the store has of a room and the room has not. Harmless where it is nothing. */
async function readMissing (room: Room): Promise<void> {
  const { stored, pacer } = room.services
  const haveRead = room.siblings.beginReading()
  const since = room.siblings.readUpTo
  const document = await stored.load(room.name, since)
  if (document === undefined) return haveRead(0)
  let bytes = 0
  for (const update of await updatesOf(room, document, since)) {
    if (bytes > turnBytes) {
      await pacer.turn()
      bytes = 0
    }
    bytes += update.length
    const scanned = await scan(room, update)
    if (!room.isOpen) return
    room.siblings.take(scanned)
  }
  haveRead(document.lastSeq)
}

/** The log's entries or, where the snapshot has swallowed some that the room lacks, all that it lacks. */
async function updatesOf (room: Room, document: StoredDocument, since: number): Promise<readonly Uint8Array[]> {
  const { snapshot, log } = document
  const updates = log.map(({ update }) => update)
  if (snapshot === undefined || snapshot.generation === room.generation) return updates
  const known = await decodeKnown(room.name, snapshot.known, room.services.work)
  const holdsAll = known.covers(room.known.encodeStateVector()) && room.known.deleteSet.contains(known.deleteSet)
  if (holdsAll || snapshot.upTo <= since) {
    room.generation = snapshot.generation
    room.known.addDeletes(known.deleteSet)
    return updates
  }
  const missing = await room.services.stored.difference(room.name, document, room.known.encodeStateVector())
  room.generation = snapshot.generation
  return missing
}

async function scan (room: Room, update: Uint8Array): Promise<ScannedUpdate> {
  if (update.length <= heavyUpdateBytes) return scanUpdate(update)
  return unpackScan(await room.services.work.scan(update, 'store', room.name), update)
}
