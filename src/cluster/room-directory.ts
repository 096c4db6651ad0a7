import { crc32 } from 'node:zlib'
import type { NodeId } from '../bus/bus.ts'
import type { SharedRoom } from '../sync/peers/other-nodes.ts'
import type { Link } from './link.ts'

/** A room that is open on this node. */
export interface OpenRoom {
  readonly room: SharedRoom
  /** Names the room in messages to this node. Never used again for another room. */
  readonly number: number
  /** The links to nodes that have the room open too, and the number by which each of them names it */
  readonly remoteNumbers: ReadonlyMap<Link, number>
}

interface MutableOpenRoom extends OpenRoom {
  readonly remoteNumbers: Map<Link, number>
}

/** The rooms that are open on this node, and the other nodes that have them open. */
export class RoomDirectory {
  readonly #byName = new Map<string, MutableOpenRoom>()
  readonly #byNumber = new Map<number, MutableOpenRoom>()
  #lastNumber = 0

  open (room: SharedRoom): OpenRoom {
    const open: MutableOpenRoom = { room, number: ++this.#lastNumber, remoteNumbers: new Map() }
    this.#byName.set(room.name, open)
    this.#byNumber.set(open.number, open)
    return open
  }

  /** @returns the entry of the room; undefined if another room has its name now */
  close (room: SharedRoom): OpenRoom | undefined {
    const open = this.#byName.get(room.name)
    if (open?.room !== room) return undefined
    this.#byName.delete(room.name)
    this.#byNumber.delete(open.number)
    return open
  }

  named (name: string): OpenRoom | undefined { return this.#byName.get(name) }
  numbered (number: number): OpenRoom | undefined { return this.#byNumber.get(number) }
  all (): Iterable<OpenRoom> { return this.#byName.values() }

  /** Another node has the room open too, under this number. */
  share (name: string, link: Link, remoteNumber: number): void {
    this.#byName.get(name)?.remoteNumbers.set(link, remoteNumber)
  }

  /** Another node has closed the room. @returns whether it had it open */
  unshare (name: string, link: Link): boolean {
    return this.#byName.get(name)?.remoteNumbers.delete(link) === true
  }

  /** The rooms that a node has open too. */
  sharedWith (link: Link): OpenRoom[] {
    return [...this.#byName.values()].filter(({ remoteNumbers }) => remoteNumbers.has(link))
  }
}

/** Whether it is a node's turn among all that have the room open. Nodes that know the same nodes agree on it. */
export function isTurnOf (node: NodeId, { room, remoteNumbers }: OpenRoom): boolean {
  const weight = (id: NodeId): number => crc32(`${id} ${room.name}`)
  const own = weight(node)
  for (const other of remoteNumbers.keys()) {
    const theirs = weight(other.node)
    if (theirs > own || (theirs === own && other.node > node)) return false
  }
  return true
}
