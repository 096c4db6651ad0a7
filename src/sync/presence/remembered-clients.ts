import type { Presence } from './awareness-table.ts'
import { rememberLeftMs } from './claim.ts'
import { Departed } from './departed.ts'

/** Client ids remembered of one person: as many as 16 rooms remember. */
const maxPerPerson = 1024
/** Client ids remembered of all rooms together; each takes about 300 bytes. */
const maxInAll = 100_000

interface LeftRoom {
  readonly leftAt: number
  readonly clients: Set<Presence>
}

/**
 * Clients that left rooms which have closed since. A room that opens again restores them: otherwise a person who was
 * alone in it would lose their client id to the next person who opens it. Times are engine time in ms.
 */
export class RememberedClients {
  /** In the order in which the rooms were closed */
  readonly #byRoom = new Map<string, LeftRoom>()
  readonly #roomOf = new Map<Presence, string>()
  readonly #departed = new Departed<Presence>(maxPerPerson, maxInAll)

  /** Keeps the clients of a room that closes now. */
  keep (room: string, clients: readonly Presence[], now: number): void {
    if (clients.length === 0) return
    this.#forgetRoom(room)
    this.#byRoom.set(room, { leftAt: now, clients: new Set(clients) })
    for (const client of clients) {
      this.#roomOf.set(client, room)
      const pushedOut = this.#departed.add(client)
      if (pushedOut !== undefined) this.#forget(pushedOut)
    }
  }

  /** The clients of a room that was not opened on this node since. */
  of (room: string, now: number): Presence[] {
    const clients = this.#byRoom.get(room)?.clients ?? []
    return [...clients].filter(({ renewedAt }) => now - renewedAt < rememberLeftMs)
  }

  /** The same; they are forgotten here, since the room keeps them from now on. */
  take (room: string, now: number): Presence[] {
    const clients = this.of(room, now)
    this.#forgetRoom(room)
    return clients
  }

  /** Forgets the rooms that were closed long ago. */
  sweep (now: number): void {
    for (const [room, { leftAt }] of this.#byRoom) {
      if (now - leftAt < rememberLeftMs) return
      this.#forgetRoom(room)
    }
  }

  #forgetRoom (room: string): void {
    for (const client of this.#byRoom.get(room)?.clients ?? []) this.#forget(client)
  }

  #forget (client: Presence): void {
    this.#departed.delete(client)
    const room = this.#roomOf.get(client) ?? ''
    this.#roomOf.delete(client)
    const left = this.#byRoom.get(room)
    left?.clients.delete(client)
    if (left?.clients.size === 0) this.#byRoom.delete(room)
  }
}
