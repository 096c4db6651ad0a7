import type { Connection } from '../connection.ts'
import type { Room } from '../room.ts'

/**
 * Processes a message over several turns of the event loop, while its connection and the room wait.
 * @param failed called with the error if `work` rejects
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
