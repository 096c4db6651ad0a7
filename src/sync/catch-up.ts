import { closes } from '../protocol/close-codes.ts'
import { encodeSyncStep1, encodeSyncStep2, encodeUpdate } from '../protocol/encode-message.ts'
import { framesOf } from '../protocol/frame.ts'
import { DamagedDocument, type StoredDocument, type StoredUpdate } from '../store/store.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { mergeUpdates } from '../update/merge-updates.ts'
import { scanUpdate } from '../update/scan-update.ts'
import { decodeStateVector, type StateVector } from '../update/state-vector.ts'
import type { Connection } from './connection.ts'
import type { Room } from './room.ts'
import { SnapshotReplaced, storedBytes } from './stored-document.ts'

/** How a connection gets from what its client has to what the room has. */
export interface CatchUp {
  /** Index of the room's first update that the client may lack; undefined: the stored state is to be sent first */
  readonly from: number | undefined
  /** State vector: the client has at least this */
  readonly has: Uint8Array
  /** Whether the client has asked and waits for a step 2 */
  readonly isAnswer: boolean
}

/** A document up to this size is sent whole to whoever lacks some of it: finding out what would cost more. */
const sendWholeBytes = 64 * 1024
/** Stored log entries are merged for sending in groups of this size, each a fraction of a ms. */
const logGroupBytes = 64 * 1024
/** How often reading starts again when the snapshot is replaced under it. */
const maxRestarts = 5

const nothing = encodeSyncStep2(Uint8Array.of(0, 0))

/** Answers a client's step 1: at once where memory has all it takes, else bit by bit from the store. */
export function joinFrom (room: Room, connection: Connection, stateVector: Uint8Array): void {
  if (connection.phase === 'catching-up') {
    connection.asksAgain = stateVector
    return
  }
  let has: StateVector
  try {
    has = decodeStateVector(stateVector)
  } catch {
    connection.end(closes.malformed)
    return
  }
  const answer = connection.socket.buffered > room.services.limits.maxSocketBufferBytes ? undefined : answerFromMemory(room, has)
  if (answer === undefined) {
    catchUp(room, connection, { from: undefined, has: stateVector, isAnswer: true })
    return
  }
  connection.phase = 'live'
  connection.send(connection.speaksHocuspocus ? [...answer, encodeSyncStep1(room.known.encodeStateVector())] : answer)
}

/**
 * The messages that bring a reader up to date, where it lacks nothing or only what the room still has in memory.
 * A state vector says nothing of deletions, so all of them go along, as Yjs does it.
 */
function answerFromMemory (room: Room, has: StateVector): Uint8Array[] | undefined {
  const deletions = encodeSyncStep2(room.known.encodeDeleteSetUpdate())
  if (room.known.covers(has)) return [deletions]
  if (room.known.hasGaps || !room.holdsInMemory(has)) return undefined
  return [...room.recent.all.map(({ update }) => encodeUpdate(update)), deletions]
}

/** Brings a connection up to date while the room goes on, and then lets it live. Never rejects. */
export function catchUp (room: Room, connection: Connection, task: CatchUp): void {
  connection.phase = 'catching-up'
  room.startStreaming()
  run(room, connection, task)
    .catch((error: unknown) => { failed(room, connection, error) })
    .finally(() => { room.stopStreaming() })
}

async function run (room: Room, connection: Connection, task: CatchUp): Promise<void> {
  let next = task.from ?? await sendStored(room, connection, task.has)
  while (await mayWrite(room, connection)) {
    const rest = room.recent.since(next)
    if (rest === undefined) {
      // It took so long that the store alone still has what is missing.
      next = await sendStored(room, connection, task.has)
    } else if (rest.length > 0) {
      connection.write(rest.map(({ update }) => encodeUpdate(update)))
      next += rest.length
    } else {
      live(room, connection, task.isAnswer)
      return
    }
  }
}

function live (room: Room, connection: Connection, isAnswer: boolean): void {
  connection.phase = 'live'
  const last: Uint8Array[] = []
  if (isAnswer) last.push(nothing)
  if (isAnswer && connection.speaksHocuspocus) last.push(encodeSyncStep1(room.known.encodeStateVector()))
  if (last.length > 0) connection.write(last)
  sendOwedAwareness(room, connection)
  if (connection.asksAgain !== undefined) {
    const stateVector = connection.asksAgain
    connection.asksAgain = undefined
    joinFrom(room, connection, stateVector)
  }
}

/** Waits for the connection's turn and for its socket. @returns whether it is still there */
async function mayWrite (room: Room, connection: Connection): Promise<boolean> {
  await room.services.pacer.turn()
  if (connection.socket.buffered > 0 && connection.phase !== 'ended') {
    connection.waitingSince = room.services.now()
    await connection.socket.drained()
    connection.waitingSince = undefined
  }
  if (connection.phase === 'ended') return false
  sendOwedAwareness(room, connection)
  return true
}

function sendOwedAwareness (room: Room, connection: Connection): void {
  if (!connection.owesAwareness) return
  connection.owesAwareness = false
  // Who has left meanwhile is told too: a presence that is never removed would stay as a ghost.
  connection.write([room.allAwareness()])
}

/** @returns index of the room's first update that what was sent may lack */
async function sendStored (room: Room, connection: Connection, has: Uint8Array): Promise<number> {
  for (let restarts = 0; ; restarts++) {
    const loading = room.load.get()
    const { document, from } = await loading
    if (document === undefined) return from
    try {
      const isWhole = storedBytes(document) <= sendWholeBytes || decodeStateVector(has).size === 0
      if (isWhole) await sendWhole(room, connection, document)
      else await sendDifference(room, connection, document, has)
      return from
    } catch (error) {
      // The document has been compacted meanwhile. What was sent already does no harm.
      room.load.forget(loading)
      if (!(error instanceof SnapshotReplaced) || restarts === maxRestarts) throw error
    }
  }
}

async function sendDifference (room: Room, connection: Connection, document: StoredDocument, has: Uint8Array): Promise<void> {
  for (const update of await room.services.stored.difference(room.name, document, has)) {
    if (!await mayWrite(room, connection)) return
    connection.write([encodeUpdate(update)])
  }
}

async function sendWhole (room: Room, connection: Connection, document: StoredDocument): Promise<void> {
  const { stored, pieces } = room.services
  const { snapshot, log, lastSeq } = document
  const { address } = connection
  const send = async (key: string, read: () => Promise<Uint8Array>): Promise<boolean> => {
    if (!await mayWrite(room, connection)) return false
    connection.socket.write(await pieces.get(`${key} ${room.name}\0${address.key}`, async () => framesOf(address, [encodeUpdate(await read())])))
    return true
  }
  if (snapshot !== undefined) {
    for (let index = 0; index < snapshot.pieces; index++) {
      if (!await send(`s${snapshot.generation}/${index}`, () => stored.piece(room.name, snapshot, index))) return
    }
  }
  let group = 0
  for (const updates of groups(log)) {
    if (!await send(`l${snapshot?.generation ?? 0}/${lastSeq}/${group++}`, async () => mergeUpdates(updates.map(({ update }) => scanUpdate(update))))) return
  }
}

function * groups (log: readonly StoredUpdate[]): Generator<StoredUpdate[]> {
  let group: StoredUpdate[] = []
  let bytes = 0
  for (const stored of log) {
    if (group.length > 0 && bytes + stored.update.length > logGroupBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(stored)
    bytes += stored.update.length
  }
  if (group.length > 0) yield group
}

function failed (room: Room, connection: Connection, error: unknown): void {
  const isDamaged = error instanceof DamagedDocument || error instanceof MalformedUpdate
  room.services.logger.error({ err: error, room: room.name }, 'The stored document could not be sent')
  connection.end(isDamaged ? closes.damaged : closes.unavailable)
}
