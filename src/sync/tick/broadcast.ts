import { closes } from '../../protocol/close-codes.ts'
import { catchUp } from '../join/catch-up.ts'
import type { Connection } from '../connection.ts'
import type { Room } from '../room.ts'
import { SharedFrames } from './shared-frames.ts'

const emptyStateVector = Uint8Array.of(0)

/**
 * Sends a tick's messages to all connections of a room: updates to those that are live, awareness to the others too.
 * @param updates encoded messages, in their order
 * @param except needs them not: it alone has written
 */
export function broadcast (room: Room, updates: readonly Uint8Array[], awareness: Uint8Array | undefined, except: Connection | undefined): void {
  const forLive = awareness === undefined ? updates : [...updates, awareness]
  if (forLive.length === 0) return
  const { limits: { maxSocketBufferBytes }, counters } = room.services
  const liveFrames = new SharedFrames(forLive)
  const awarenessFrames = awareness === undefined ? undefined : new SharedFrames([awareness])
  for (const connection of room.connections) {
    if (connection.phase === 'live') {
      if (connection === except) continue
      // Documents that share a socket fill it for each other: no frame is made for one that is full.
      const isFull = connection.socket.buffered > maxSocketBufferBytes
      if (!isFull) liveFrames.writeTo(connection.socket, connection.address)
      else if (awareness !== undefined) connection.owesAwareness = true
      if (connection.socket.buffered > maxSocketBufferBytes) fallBehind(room, connection, isFull ? updates.length : 0)
    } else if (awarenessFrames !== undefined) {
      if (connection.phase !== 'joining' || connection.isGreeting) connection.owesAwareness = true
      else if (connection.socket.buffered > maxSocketBufferBytes) connection.end(closes.tooSlow)
      else awarenessFrames.writeTo(connection.socket, connection.address)
    }
  }
  counters.framesWritten += room.connections.size
}

/**
 * A socket that does not take what it is sent gets nothing more until it does, and then what it missed as one.
 * @param missed how many of the room's newest updates it was not sent
 */
function fallBehind (room: Room, connection: Connection, missed: number): void {
  room.services.counters.resyncs++
  // What the room knows holds what was missed: where that leaves memory before the socket is read, all is sent again.
  const has = missed === 0 ? room.known.encodeStateVector() : emptyStateVector
  catchUp(room, connection, { from: room.recent.lastIndex + 1 - missed, has, isAnswer: false })
}
