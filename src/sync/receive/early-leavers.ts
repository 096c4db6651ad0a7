import type { Connection } from '../connection.ts'

/** Bytes of updates that are kept for one room: a store that hangs must not fill the memory. */
const maxBytes = 8 * 1024 * 1024

/** Connections that have sent updates and have left before the room was open. */
export class EarlyLeavers {
  #connections: Connection[] = []
  #bytes = 0

  add (connection: Connection): void {
    const bytes = connection.waitingBytes
    if (bytes === 0 || this.#bytes + bytes > maxBytes) return
    this.#bytes += bytes
    this.#connections.push(connection)
  }

  /** Processes their updates. */
  resume (): void {
    for (const connection of this.#connections.splice(0)) connection.resume()
  }
}
