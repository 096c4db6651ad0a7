import type { RoomSocket, RoomSockets } from './room-sockets.ts'

interface Refused {
  readonly room: string | undefined
  /** The user that was refused; undefined: not known */
  readonly userId: string | undefined
}

/**
 * The documents of one Hocuspocus socket that were refused or ended and that the client has not left. Its providers
 * stay attached and keep sending; everything but a new Auth message is ignored. A reset of such a document or user
 * closes the socket, so that the providers reconnect: access may have changed.
 */
export class RefusedDocuments {
  readonly #socket: RoomSocket
  readonly #roomSockets: RoomSockets
  /** By address */
  readonly #documents = new Map<string, Refused>()
  /** Every room refused on this socket: few, because refusals are bounded */
  readonly #rooms = new Set<string>()

  constructor (socket: RoomSocket, roomSockets: RoomSockets) {
    this.#socket = socket
    this.#roomSockets = roomSockets
  }

  get size (): number { return this.#documents.size }

  has (address: string): boolean { return this.#documents.has(address) }

  add (address: string, room: string | undefined, userId: string | undefined): void {
    this.#documents.set(address, { room, userId })
    if (room === undefined) return
    this.#rooms.add(room)
    this.#roomSockets.add(room, this.#socket)
  }

  delete (address: string): void { this.#documents.delete(address) }

  /** Whether a reset of the room, or of one user in it, concerns one of these documents. */
  isReset (room: string, userId: string | undefined): boolean {
    for (const refused of this.#documents.values()) {
      const isOfUser = userId === undefined || refused.userId === undefined || refused.userId === userId
      if (refused.room === room && isOfUser) return true
    }
    return false
  }

  /** The socket has closed. */
  clear (): void {
    for (const room of this.#rooms) this.#roomSockets.delete(room, this.#socket)
    this.#documents.clear()
  }
}
