import type { NodeId } from '../bus/bus.ts'
import type { Link } from './link.ts'

/** ms between two beats of a node. */
export const beatEveryMs = 2000
/** ms between two checks of the other nodes. */
export const checkEveryMs = 1000
/** ms of silence after which a node counts as crashed: three beats, and some time for the network. */
const crashedAfterMs = 7000

/** ms since this node received its own beat, above which it counts as disconnected from the bus. */
const disconnectedAfterMs = beatEveryMs * 2.5
/** ms by which a check is late if this process was stopped: then the other nodes have not been silent. */
const frozenMs = 2000
/** ms after a crash in which rooms are read from the store more often: the node can be alive and unreachable. */
const doubtAfterCrashMs = 5 * 60_000
/** Nodes of another version that are remembered. */
const maxIncompatible = 1000

/** Notices which nodes have crashed, whether this node reaches the bus, and which nodes it cannot talk to. */
export class Liveness {
  readonly #now: () => number
  #heardSelfAt = 0
  #checkedAt: number
  #doubtUntil = -Infinity
  /** Nodes of another version, and the engine time in ms of their last sign of life */
  readonly #incompatible = new Map<NodeId, number>()

  /** @param now engine time in ms */
  constructor (now: () => number) {
    this.#now = now
    this.#checkedAt = now()
  }

  /** Whether this node receives its own beats; if not, it may be alone without knowing. */
  get isConnected (): boolean { return this.#now() - this.#heardSelfAt < disconnectedAfterMs }

  /** Whether other nodes may be alive and unreachable. */
  get isInDoubt (): boolean {
    return !this.isConnected || this.#incompatible.size > 0 || this.#now() < this.#doubtUntil
  }

  /** Nodes of another version that are alive */
  get incompatibleNodes (): readonly NodeId[] { return [...this.#incompatible.keys()] }

  /** This node has received its own datagram. @returns whether it was cut off before */
  heardSelf (): boolean {
    const wasCut = this.#now() - this.#heardSelfAt > crashedAfterMs
    this.#heardSelfAt = this.#now()
    return wasCut
  }

  /** A node of another version has sent something. @returns whether it is the first time */
  heardIncompatible (node: NodeId): boolean {
    const isNew = !this.#incompatible.has(node)
    if (isNew && this.#incompatible.size >= maxIncompatible) return false
    this.#incompatible.set(node, this.#now())
    return isNew
  }

  /**
   * Finds the nodes that have been silent for too long. To be called every `checkEveryMs`.
   * @returns the links to nodes that count as crashed
   */
  check (links: Iterable<Link>): Link[] {
    const now = this.#now()
    const lateMs = now - this.#checkedAt - checkEveryMs
    this.#checkedAt = now
    const all = [...links]
    // If this process was stopped, the messages of the other nodes are still to be read.
    if (lateMs > frozenMs) for (const link of all) link.heard(link.heardAt + lateMs)
    const crashed = all.filter(({ heardAt }) => now - heardAt > crashedAfterMs)
    if (crashed.length > 0) this.#doubtUntil = now + doubtAfterCrashMs
    for (const [node, at] of this.#incompatible) if (now - at > crashedAfterMs) this.#incompatible.delete(node)
    return crashed
  }
}
