import type { Connection } from './connection.ts'
import type { Room } from './room.ts'

/**
 * Works on a message in several turns of the event loop, while its connection and the room wait for that.
 * @param failed called with what `work` rejects with
 */
export function whileHeld (room: Room, connection: Connection, work: () => Promise<void>, failed: (error: unknown) => void): void {
  connection.hold()
  room.startChecking()
  work()
    .catch(failed)
    .finally(() => {
      if (!connection.wasSentAway) connection.resume()
      room.stopChecking()
    })
}
