import { closes } from '../../protocol/close-codes.ts'
import type { FramedUpdate } from '../../protocol/framed-update.ts'
import type { Connection } from '../connection.ts'
import { SharedFrames } from './shared-frames.ts'

/** The messages of a tick for the clients of a room. */
export interface Broadcast {
  /** In their order */
  readonly updates: readonly FramedUpdate[]
  /** The encoded message */
  readonly awareness: Uint8Array | undefined
  /** The connection whose client has sent everything in it, and needs none of it */
  readonly except: Connection | undefined
}

/**
 * Sends a tick's messages to all connections of a room: updates to those that are live, awareness to the others too.
 * @param fallBehind called for a connection whose socket is full, with the number of updates that it was not sent
 * @returns how many sockets were written to
 */
export function broadcast (
  connections: Iterable<Connection>,
  { updates, awareness, except }: Broadcast,
  fallBehind: (connection: Connection, missed: number) => void
): number {
  let written = 0
  if (updates.length === 0 && awareness === undefined) return 0
  const liveFrames = framesForLive(updates, awareness)
  const awarenessFrames = awareness === undefined ? undefined : new SharedFrames([awareness])
  for (const connection of connections) {
    const { socket } = connection
    if (connection.phase === 'live') {
      if (connection === except) continue
      // Documents that share a socket fill it for each other: no frame is made for one that is full.
      const wasFull = socket.isFull
      if (!wasFull) {
        liveFrames.writeTo(socket, connection.address)
        written++
      } else if (awareness !== undefined) connection.progress.oweAwareness()
      if (socket.isFull) fallBehind(connection, wasFull ? updates.length : 0)
    } else if (awarenessFrames !== undefined) {
      const { progress } = connection
      if (connection.phase !== 'joining' || progress.isInitialSync) progress.oweAwareness()
      else if (socket.isFull) connection.end(closes.tooSlow)
      else {
        awarenessFrames.writeTo(socket, connection.address)
        written++
      }
    }
  }
  return written
}

function framesForLive (updates: readonly FramedUpdate[], awareness: Uint8Array | undefined): SharedFrames {
  const [only] = updates
  // Most ticks of small rooms.
  if (updates.length === 1 && only !== undefined && awareness === undefined) {
    return new SharedFrames([only.message], only.frame)
  }
  const messages = updates.map(({ message }) => message)
  return new SharedFrames(awareness === undefined ? messages : [...messages, awareness])
}
