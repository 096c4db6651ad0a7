/** A socket that is for a room, or was refused it, and may carry no document of it at the moment. */
export interface RoomSocket {
  /**
   * Closes the socket, unless the reset is for another user or no longer concerns it.
   * @returns whether it was closed
   */
  reset (room: string, userId: string | undefined): boolean
}

/** Sockets by the rooms that they are for or were refused: a reset also closes those that are in no room. */
export class RoomSockets {
  readonly #ofRoom = new Map<string, Set<RoomSocket>>()

  add (room: string, socket: RoomSocket): void {
    const sockets = this.#ofRoom.get(room)
    if (sockets === undefined) this.#ofRoom.set(room, new Set([socket]))
    else sockets.add(socket)
  }

  delete (room: string, socket: RoomSocket): void {
    const sockets = this.#ofRoom.get(room)
    if (sockets?.delete(socket) === true && sockets.size === 0) this.#ofRoom.delete(room)
  }

  /** Closes the sockets of a room or those of one user. @returns how many */
  reset (room: string, userId: string | undefined): number {
    return [...this.#ofRoom.get(room) ?? []].filter((socket) => socket.reset(room, userId)).length
  }
}
