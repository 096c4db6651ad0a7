import { closes } from '../protocol/close-codes.ts'
import { encodeSyncStatus } from '../protocol/encode-message.ts'
import { MalformedUpdate } from '../update/malformed-update.ts'
import { unpackScan } from '../update/packed-scan.ts'
import { scanClientUpdate, type ScannedUpdate } from '../update/scan-update.ts'
import type { Connection } from './connection.ts'
import { heavyUpdateBytes } from './limits.ts'
import type { Room } from './room.ts'

/** Checks what a client has sent as an update, a large one in a worker, and hands it to the room where the client may edit. */
export function receiveUpdate (room: Room, connection: Connection, update: Uint8Array, isStep2: boolean): void {
  if (!connection.canEdit) refuse(room, connection, update, isStep2)
  else scan(room, connection, update, (scanned) => { takeOrRefuse(room, connection, scanned, isStep2) })
}

/** Read only is enforced here. A Hocuspocus client is told, unless what it sent is here already. */
function refuse (room: Room, connection: Connection, update: Uint8Array, isStep2: boolean): void {
  connection.wasRefused = true
  if (connection.speaksHocuspocus && isStep2) scan(room, connection, update, (scanned) => { answerRefused(room, connection, scanned) })
  else answerRefused(room, connection, undefined)
}

function answerRefused (room: Room, connection: Connection, scanned: ScannedUpdate | undefined): void {
  const isKnown = scanned !== undefined && room.known.contains(scanned)
  if (!isKnown) room.services.counters.refused++
  if (connection.speaksHocuspocus) connection.send([encodeSyncStatus(isKnown)])
}

/** A right that was withdrawn during the check is withdrawn for this update too. */
function takeOrRefuse (room: Room, connection: Connection, scanned: ScannedUpdate, isStep2: boolean): void {
  if (connection.canEdit) room.take(connection, scanned)
  else {
    connection.wasRefused = true
    answerRefused(room, connection, isStep2 ? scanned : undefined)
  }
}

/** Calls `use` at once for a small update; a large one is read in a worker, while its connection waits. */
function scan (room: Room, connection: Connection, update: Uint8Array, use: (scanned: ScannedUpdate) => void): void {
  if (update.length > heavyUpdateBytes) {
    scanHeavy(room, connection, update, use)
    return
  }
  try {
    use(scanClientUpdate(update))
  } catch (error) {
    failed(room, connection, error)
  }
}

function scanHeavy (room: Room, connection: Connection, update: Uint8Array, use: (scanned: ScannedUpdate) => void): void {
  connection.hold()
  room.startChecking()
  room.services.work.scan(update, 'client', room.name)
    .then((result) => {
      // One that has left by itself meanwhile had been read: nothing of it is lost.
      if (!connection.wasSentAway) use(unpackScan(result, update))
    })
    .catch((error: unknown) => { failed(room, connection, error) })
    .finally(() => {
      if (!connection.wasSentAway) connection.resume()
      room.stopChecking()
    })
}

function failed (room: Room, connection: Connection, error: unknown): void {
  const { counters, logger } = room.services
  if (error instanceof MalformedUpdate) {
    counters.malformed++
    connection.end(closes.malformed)
  } else {
    logger.error({ err: error, room: room.name }, 'An update could not be checked')
    connection.end(closes.unavailable)
  }
}
