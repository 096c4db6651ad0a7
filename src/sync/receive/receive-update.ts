import { closes } from '../../protocol/close-codes.ts'
import { encodeSyncStatus } from '../../protocol/encode-message.ts'
import { MalformedUpdate } from '../../update/malformed-update.ts'
import { unpackScan } from '../../update/packed-scan.ts'
import { scanClientUpdate, type ScannedUpdate } from '../../update/scan-update.ts'
import { findHeldClocks, trimUpdate } from '../../update/trim-update.ts'
import type { Connection } from '../connection.ts'
import { heavyUpdateBytes, manyParts } from '../limits.ts'
import type { Room } from '../room.ts'
import { whileHeld } from './while-held.ts'

/** Checks what a client has sent as an update, a large one in a worker, and hands it to the room where the client may edit. */
export function receiveUpdate (room: Room, connection: Connection, update: Uint8Array, isStep2: boolean): void {
  if (!connection.canEdit) return refuse(room, connection, update, isStep2)
  // A client answers with everything that the room lacks, including updates refused before it could edit.
  if (isStep2) connection.wasRefused = false
  if (update.length > heavyUpdateBytes) heldOrFail(room, connection, () => receiveHeavy(room, connection, update, isStep2))
  else orFail(room, connection, () => { receiveScanned(room, connection, scanClientUpdate(update), isStep2) })
}

/** Read only is enforced here. A Hocuspocus client is told, unless what it sent is here already. */
function refuse (room: Room, connection: Connection, update: Uint8Array, isStep2: boolean): void {
  connection.wasRefused = true
  if (!connection.speaksHocuspocus || !isStep2) answerRefused(room, connection, undefined)
  else if (update.length <= heavyUpdateBytes) orFail(room, connection, () => { answerRefused(room, connection, scanClientUpdate(update)) })
  else heldOrFail(room, connection, async () => { answerRefused(room, connection, await scanHeavy(room, update)) })
}

function answerRefused (room: Room, connection: Connection, scanned: ScannedUpdate | undefined): void {
  if (scanned !== undefined && !connection.spend(scanned.parts, room.services.now())) return
  const isKnown = scanned !== undefined && room.known.contains(scanned)
  if (!isKnown) room.services.counters.refused++
  if (connection.speaksHocuspocus) connection.send([encodeSyncStatus(isKnown)])
}

/** A keystroke ends here: it is taken at once. */
function receiveScanned (room: Room, connection: Connection, scanned: ScannedUpdate, isStep2: boolean): void {
  if (!connection.spend(scanned.parts, room.services.now())) return
  const trimmed = trimUpdate(scanned, room.known.stateVector)
  if (isSimple(room, trimmed)) room.take(connection, trimmed)
  else heldOrFail(room, connection, () => takeChecked(room, connection, trimmed, isStep2))
}

async function receiveHeavy (room: Room, connection: Connection, update: Uint8Array, isStep2: boolean): Promise<void> {
  const scanned = await scanHeavy(room, update)
  if (connection.wasSentAway || !connection.spend(scanned.parts, room.services.now())) return
  await takeChecked(room, connection, await trimHeavy(room, scanned), isStep2)
}

async function scanHeavy (room: Room, update: Uint8Array): Promise<ScannedUpdate> {
  return unpackScan(await room.services.work.scan(update, 'client', room.name), update)
}

/** Repeated content is cut off in a worker: that copies the update. */
async function trimHeavy (room: Room, scanned: ScannedUpdate): Promise<ScannedUpdate> {
  if (room.known.contains(scanned)) return scanned
  await room.services.pacer.turn()
  if (!await room.services.pacer.run(findHeldClocks(scanned, room.known.stateVector))) return scanned
  const { update, scan } = await room.services.work.trim(scanned.bytes, room.known.encodeStateVector(), room.name)
  return unpackScan(scan, update)
}

/** Whether an update can be taken as it is: nothing about it has to be looked up in the document, and it costs next to nothing. */
function isSimple (room: Room, scanned: ScannedUpdate): boolean {
  return (!mustBeInspected(room, scanned) && scanned.parts <= manyParts) || room.known.contains(scanned)
}

function mustBeInspected (room: Room, scanned: ScannedUpdate): boolean {
  return scanned.needsInspection !== false || room.uncheckedTypes.areTooManyWith(scanned)
}

async function takeChecked (room: Room, connection: Connection, scanned: ScannedUpdate, isStep2: boolean): Promise<void> {
  if (scanned.parts > manyParts) await room.services.pacer.turn()
  if (mustBeInspected(room, scanned) && !room.known.contains(scanned)) await room.inspect(scanned)
  // One that has left by itself meanwhile had been read: nothing of it is lost.
  if (connection.wasSentAway) return
  if (connection.canEdit) {
    await room.takeBitByBit(connection, scanned)
    return
  }
  // A right that was withdrawn during the check is withdrawn for this update too.
  connection.wasRefused = true
  answerRefused(room, connection, isStep2 ? scanned : undefined)
}

function orFail (room: Room, connection: Connection, work: () => void): void {
  try {
    work()
  } catch (error) {
    failed(room, connection, error)
  }
}

/** The same for an update that takes several turns of the event loop. */
function heldOrFail (room: Room, connection: Connection, work: () => Promise<void>): void {
  whileHeld(room, connection, work, (error) => { failed(room, connection, error) })
}

function failed (room: Room, connection: Connection, error: unknown): void {
  const { counters, logger } = room.services
  if (error instanceof MalformedUpdate) {
    counters.malformed++
    connection.end(closes.malformed)
  } else {
    logger.error({ err: error, room: room.name }, 'Failed to check an update')
    connection.end(closes.unavailable)
  }
}
