import { closes } from '../../protocol/close-codes.ts'
import { encodeSyncStep2, encodeUpdate } from '../../protocol/encode-message.ts'
import { framesOf } from '../../protocol/frame.ts'
import { DamagedDocument, type SnapshotHead, type StoredDocument, type StoredUpdate } from '../../store/store.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { mergeUpdates } from '../../update/merge-updates.ts'
import { scanUpdate } from '../../update/scan-update.ts'
import { countStateVector } from '../../update/state-vector.ts'
import type { Connection } from '../connection.ts'
import type { Difference } from './differences.ts'
import { inPieces } from './in-pieces.ts'
import { heavyUpdateBytes, manyParts, pieceBytes } from '../limits.ts'
import { messageOf } from '../save/recent-updates.ts'
import type { Room } from '../room.ts'
import { nobody } from './room-messages.ts'
import { maxRestarts, SnapshotReplaced, storedBytes } from '../save/stored-documents.ts'

/** How a connection gets from what its client has to what the room has. */
export interface CatchUp {
  /** Index of the room's first update that the client may lack; undefined: the stored state is to be sent first */
  readonly from: number | undefined
  /** State vector: the client has at least this */
  has: Uint8Array
  /** Whether the client has asked and waits for a step 2 */
  readonly isAnswer: boolean
}

/** A document up to this size is sent whole to whoever lacks some of it: finding out what would cost more. */
const sendWholeBytes = 64 * 1024
/** Stored log entries are merged for sending in groups of this size, each a fraction of a ms. */
const logGroupBytes = 64 * 1024

/** So many bytes of an answer cost the service about as much as one part of a question (`partsPerSecond`). */
const bytesForEachPart = 64
/** Bytes of a deletion in an answer, about: two clocks */
const bytesForEachRange = 5
/** Parts that a question about who is present costs by itself: it takes the event loop some 14 µs, even if nobody is. */
const partsForEachQuestion = 10
/** A reader that lacks structs of more clients than this is answered from the store: memory holds what a few have written in the last moments. */
const maxLackedInMemory = 1000

/**
 * A state vector that must wait while its client reads is kept up to this size, about 1,000 clients. If a longer one is
 * needed again, its client is sent the whole document.
 */
const maxKeptStateVectorBytes = 8 * 1024
const lacksAll = Uint8Array.of(0)

const nothing = encodeSyncStep2(Uint8Array.of(0, 0))

/** Sends what a client hears first: at once or, where that is much, bit by bit. */
export function greet (room: Room, connection: Connection, messages: readonly Uint8Array[]): void {
  if (fitsAtOnce(messages)) {
    if (messages.length > 0) connection.write(messages)
    return
  }
  connection.isGreeting = true
  inBackground(room, connection, async () => {
    const isThere = await sendBitByBit(room, connection, messages) && await sendOwedAwareness(room, connection)
    connection.isGreeting = false
    if (isThere) answerWaiting(room, connection)
  })
}

/** Answers a client that asks who is present. */
export function sendPresence (room: Room, connection: Connection): void {
  const present = room.messages.present()
  if (!connection.spend(present.length + partsForEachQuestion, room.services.now())) return
  // A client that keeps asking without reading would grow the send buffer without bound.
  if (isFull(room, connection)) connection.end(closes.tooSlow)
  else if (fitsAtOnce(present)) connection.send(present.length > 0 ? present : [nobody])
  else if (connection.isGreeting || connection.phase === 'catching-up') connection.owesAwareness = true
  else if (connection.phase === 'joining') greet(room, connection, present)
  else {
    connection.owesAwareness = true
    catchUp(room, connection, { from: room.recent.lastIndex + 1, has: room.known.encodeStateVector(), isAnswer: false })
  }
}

/** Answers a client's step 1: at once where memory has all it takes, else bit by bit. */
export function joinFrom (room: Room, connection: Connection, stateVector: Uint8Array): void {
  if (connection.phase === 'catching-up' || connection.isGreeting) {
    connection.asksAgain = keepable(stateVector)
    return
  }
  let lacked: ReadonlyMap<number, number> | undefined
  try {
    const parts = countStateVector(stateVector) + room.known.deleteRanges * bytesForEachRange / bytesForEachPart
    if (!connection.spend(parts, room.services.now())) return
    lacked = room.known.lackedBy(stateVector, maxLackedInMemory)
  } catch {
    connection.end(closes.malformed)
    return
  }
  const from = isFull(room, connection) ? undefined : firstLacking(room, lacked)
  const answer = from === undefined || room.known.deleteRanges > manyParts ? undefined : answerFromMemory(room, from)
  if (answer === undefined || !fitsAtOnce(answer)) {
    catchUp(room, connection, { from, has: stateVector, isAnswer: true })
    return
  }
  connection.phase = 'live'
  connection.send(connection.speaksHocuspocus ? [...answer, room.messages.step1()] : answer)
}

/** A copy of a short state vector, so that its message is not kept; else that of a client which lacks everything. */
function keepable (stateVector: Uint8Array): Uint8Array {
  return stateVector.length > maxKeptStateVectorBytes ? lacksAll : new Uint8Array(stateVector)
}

/** Index of the first recent update that a reader lacks at most, where memory has all that it lacks; else undefined. */
function firstLacking (room: Room, lacked: ReadonlyMap<number, number> | undefined): number | undefined {
  const { recent, known } = room
  if (lacked === undefined) return undefined
  if (lacked.size === 0) return recent.lastIndex + 1
  if (known.hasGaps || !room.holdsInMemory(lacked)) return undefined
  return recent.lastIndex + 1 - recent.all.length
}

/** The step 2 carries the delete set, so that a client which lacks nothing else has one message to read. */
function answerFromMemory (room: Room, from: number): Uint8Array[] {
  const newer = room.recent.since(from) ?? []
  return [...newer.map(({ update }) => encodeUpdate(update)), encodeSyncStep2(room.known.encodeDeleteSetUpdate())]
}

/** Brings a connection up to date while the room goes on, and then lets it live. Never rejects. */
export function catchUp (room: Room, connection: Connection, task: CatchUp): void {
  connection.phase = 'catching-up'
  inBackground(room, connection, async () => { await run(room, connection, task) })
}

/** Does what takes several turns; the room keeps what those who are behind will want. */
function inBackground (room: Room, connection: Connection, work: () => Promise<void>): void {
  room.startStreaming()
  work()
    .catch((error: unknown) => { failed(room, connection, error) })
    .finally(() => { room.stopStreaming() })
}

async function run (room: Room, connection: Connection, task: CatchUp): Promise<void> {
  let next = task.from ?? await sendStored(room, connection, task)
  task.has = keepable(task.has)
  // What is stored comes with its deletions; what memory has may lack those that came before it.
  let owesDeletions = task.from !== undefined && task.isAnswer
  while (await mayWrite(room, connection)) {
    const rest = room.recent.since(next)
    if (rest === undefined) {
      // It took so long that the store alone still has what is missing.
      next = await sendStored(room, connection, task)
    } else if (rest.length > 0) {
      const [piece = []] = inPieces(rest, ({ update }) => update.length)
      connection.write(piece.map(messageOf))
      next += piece.length
    } else if (owesDeletions) {
      owesDeletions = false
      await sendBitByBit(room, connection, await room.messages.deletions())
    } else if (connection.owesAwareness) {
      await sendOwedAwareness(room, connection)
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
  if (isAnswer && connection.speaksHocuspocus) last.push(room.messages.step1())
  if (last.length > 0) connection.write(last)
  answerWaiting(room, connection)
}

/** Answers the question that came while another was being answered. */
function answerWaiting (room: Room, connection: Connection): void {
  const stateVector = connection.asksAgain
  if (stateVector === undefined) return
  connection.asksAgain = undefined
  joinFrom(room, connection, stateVector)
}

/** Waits for the connection's turn and for its socket. @returns whether it is still there */
async function mayWrite (room: Room, connection: Connection): Promise<boolean> {
  await room.services.pacer.turn()
  if (connection.phase !== 'ended') await connection.socket.drained()
  return connection.phase !== 'ended'
}

/** @returns whether the connection is still there */
async function sendBitByBit (room: Room, connection: Connection, messages: readonly Uint8Array[]): Promise<boolean> {
  for (const piece of inPieces(messages, ({ length }) => length)) {
    if (!await mayWrite(room, connection)) return false
    connection.write(piece)
  }
  return true
}

/** @returns whether the connection is still there */
async function sendOwedAwareness (room: Room, connection: Connection): Promise<boolean> {
  while (connection.owesAwareness) {
    connection.owesAwareness = false
    if (!await sendBitByBit(room, connection, room.messages.remembered())) return false
  }
  return true
}

function isFull (room: Room, { socket }: Connection): boolean {
  return socket.buffered > room.services.limits.maxSocketBufferBytes
}

function fitsAtOnce (messages: readonly Uint8Array[]): boolean {
  return messages.reduce((sum, { length }) => sum + length, 0) <= pieceBytes
}

/** @returns index of the room's first update that what was sent may lack */
async function sendStored (room: Room, connection: Connection, task: CatchUp): Promise<number> {
  for (let restarts = 0; ; restarts++) {
    const loading = room.load.get()
    const { document, from } = await loading
    if (document === undefined) return from
    try {
      const isWhole = storedBytes(document) <= sendWholeBytes || countStateVector(task.has) === 0
      const difference = isWhole ? undefined : room.services.differences.of(room.name, document, task.has, connection.person)
      task.has = keepable(task.has)
      if (difference === undefined) await sendWhole(room, connection, document)
      else await sendDifference(room, connection, difference)
      return from
    } catch (error) {
      // The document has been compacted meanwhile. What was sent already does no harm.
      room.load.forget(loading)
      if (restarts === maxRestarts) throw error
      if (error instanceof MalformedUpdate && restarts === 0) await room.services.compactor.repair(room.name)
      else if (!(error instanceof SnapshotReplaced)) throw error
    }
  }
}

async function sendDifference (room: Room, connection: Connection, difference: Difference): Promise<void> {
  try {
    for (const update of await difference.pieces) {
      if (!await mayWrite(room, connection)) return
      connection.write([encodeUpdate(update)])
    }
  } finally {
    difference.release()
  }
}

async function sendWhole (room: Room, connection: Connection, document: StoredDocument): Promise<void> {
  const { pieces } = room.services
  const { snapshot, log, lastSeq } = document
  const { address } = connection
  const send = async (key: string, read: () => Promise<Uint8Array>): Promise<boolean> => {
    if (!await mayWrite(room, connection)) return false
    connection.socket.write(await pieces.get(`${key} ${room.name}\0${address.key}`, async () => framesOf(address, [encodeUpdate(await read())])))
    return true
  }
  if (snapshot !== undefined) {
    for (let index = 0; index < snapshot.pieces; index++) {
      if (!await send(`s${snapshot.generation}/${index}`, () => soundPiece(room, snapshot, index))) return
    }
  }
  let group = 0
  for (const updates of groups(log)) {
    if (!await send(`l${snapshot?.generation ?? 0}/${lastSeq}/${group++}`, async () => mergeUpdates(updates.map(({ update }) => scanUpdate(update))))) return
  }
}

/**
 * A piece of a snapshot. Before updates that Yjs cannot apply were rejected, a document that held one was stored as a single
 * piece, just as it was.
 * @throws MalformedUpdate where the piece is such a one
 */
async function soundPiece (room: Room, snapshot: SnapshotHead, index: number): Promise<Uint8Array> {
  const piece = await room.services.stored.piece(room.name, snapshot, index)
  if (snapshot.pieces > 1) return piece
  if (piece.length <= heavyUpdateBytes) scanUpdate(piece)
  else await room.services.work.scan(piece, 'store', room.name)
  return piece
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
  const { logger, outages } = room.services
  if (isDamaged) logger.error({ err: error, room: room.name }, 'Failed to send a stored document: it is damaged')
  else outages.report('error', 'Failed to send a stored document', error, { room: room.name })
  connection.end(isDamaged ? closes.damaged : closes.unavailable)
}
