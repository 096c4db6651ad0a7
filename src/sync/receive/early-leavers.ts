import type { Connection } from '../connection.ts'

/** Bytes of updates that are kept for one room: a store that stands still must not fill the memory. */
const maxBytes = 8 * 1024 * 1024

/** Who has written and left before the room was open. */
export class EarlyLeavers {
  #connections: Connection[] = []
  #bytes = 0

  add (connection: Connection): void {
    const bytes = connection.inbox?.reduce((sum, message) => 'update' in message ? sum + message.update.length : sum, 0) ?? 0
    if (bytes === 0 || this.#bytes + bytes > maxBytes) return
    this.#bytes += bytes
    this.#connections.push(connection)
  }

  /** What they wrote gets its turn. */
  resume (): void {
    for (const connection of this.#connections.splice(0)) connection.resume()
  }
}
