import type { NodeId } from '../bus/bus.ts'
import { BoundedMap } from '../queue/bounded-map.ts'

/** Resets remembered, at about 100 bytes each. Another node repeats no more than that. */
const maxResets = 10_000

/**
 * The resets of other nodes and their answers. A link that starts again repeats every reset whose answer has not
 * arrived; carried out twice, it would close connections that were authorised after the first time.
 */
export class AnsweredResets {
  readonly #answers = new BoundedMap<string, number>(maxResets)

  /**
   * Carries out a reset, unless that was done before.
   * @param id the asking node's number for it
   * @returns its answer
   */
  answer (from: NodeId, id: number, reset: () => number): number {
    const key = `${from} ${id}`
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answer = reset()
    this.#answers.set(key, answer)
    return answer
  }
}
