import { crc32 } from 'node:zlib'
import type { NodeId } from '../bus/bus.ts'
import type { SharedRoom } from '../sync/peers/other-nodes.ts'
import type { Link } from './link.ts'

/** A room that is open here. */
export interface HeldRoom {
  readonly room: SharedRoom
  /** How other nodes name it when they speak to this one. Never used again for another room */
  readonly number: number
  /** Who holds it too, and how they name it */
  readonly holders: Map<Link, number>
}

/** Which rooms are open here, and where else each of them is. */
export class RoomDirectory {
  readonly #byName = new Map<string, HeldRoom>()
  readonly #byNumber = new Map<number, HeldRoom>()
  #lastNumber = 0

  open (room: SharedRoom): HeldRoom {
    const held: HeldRoom = { room, number: ++this.#lastNumber, holders: new Map() }
    this.#byName.set(room.name, held)
    this.#byNumber.set(held.number, held)
    return held
  }

  /** @returns what the room was held as; undefined where another one has its name now */
  close (room: SharedRoom): HeldRoom | undefined {
    const held = this.#byName.get(room.name)
    if (held?.room !== room) return undefined
    this.#byName.delete(room.name)
    this.#byNumber.delete(held.number)
    return held
  }

  named (name: string): HeldRoom | undefined { return this.#byName.get(name) }
  numbered (number: number): HeldRoom | undefined { return this.#byNumber.get(number) }
  all (): Iterable<HeldRoom> { return this.#byName.values() }

  /** The rooms that a node holds too. */
  sharedWith (link: Link): HeldRoom[] {
    return [...this.#byName.values()].filter(({ holders }) => holders.has(link))
  }
}

/** Of all who hold a room, the one whose turn it is: the same to all who know the same holders, and evenly spread. */
export function isTurnOf (node: NodeId, { room, holders }: HeldRoom): boolean {
  const weight = (id: NodeId): number => crc32(`${id} ${room.name}`)
  const own = weight(node)
  for (const other of holders.keys()) {
    const theirs = weight(other.node)
    if (theirs > own || (theirs === own && other.node > node)) return false
  }
  return true
}
