import type { NodeId } from '../bus/bus.ts'

/** ms between two beats of a node. */
export const beatEveryMs = 2000
/** ms of silence after which a node counts as crashed: three beats, and some time for the network. */
export const goneAfterMs = 7000

/** ms since this node received its own beat, above which it counts as disconnected from the bus. */
const disconnectedAfterMs = beatEveryMs * 2.5
/** ms after a crash in which rooms are read from the store more often: the node may still be alive and unheard. */
const doubtAfterCrashMs = 5 * 60_000
/** Nodes of another version that are remembered. */
const maxIncompatible = 1000

/** Shows whether this node reaches the bus, and whether there are nodes that it cannot talk to. */
export class Liveness {
  readonly #now: () => number
  #heardSelfAt = 0
  #doubtUntil = -Infinity
  /** Nodes of another version, and the engine time in ms of their last sign of life */
  readonly #incompatible = new Map<NodeId, number>()

  /** @param now engine time in ms */
  constructor (now: () => number) {
    this.#now = now
  }

  /** Whether this node receives its own beats; if not, it may be alone without knowing. */
  get isConnected (): boolean { return this.#now() - this.#heardSelfAt < disconnectedAfterMs }

  /** Whether other nodes may be alive and unheard. */
  get isInDoubt (): boolean {
    return !this.isConnected || this.#incompatible.size > 0 || this.#now() < this.#doubtUntil
  }

  /** Nodes of another version that are alive */
  get incompatibleNodes (): readonly NodeId[] { return [...this.#incompatible.keys()] }

  /** This node has received its own datagram. @returns whether it was cut off before */
  heardSelf (): boolean {
    const wasCut = this.#now() - this.#heardSelfAt > goneAfterMs
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

  /** A node has crashed, as far as can be told from its silence. */
  crashed (): void { this.#doubtUntil = this.#now() + doubtAfterCrashMs }

  /** Forgets silent nodes of another version. */
  sweep (): void {
    const before = this.#now() - goneAfterMs
    for (const [node, heardAt] of this.#incompatible) if (heardAt < before) this.#incompatible.delete(node)
  }
}
