import type { NodeId } from '../bus/bus.ts'

/** Resets remembered, at some 100 bytes each 1 MB. Another node repeats no more than that. */
const maxResets = 10_000

/**
 * The resets of other nodes, with the answer to each. A link that begins anew repeats every reset whose answer is still on
 * its way; carried out again, it would close the connections that were authorised after the first time.
 */
export class AnsweredResets {
  readonly #answers = new Map<string, unknown>()

  /** Carries out a reset unless that is done; `id` is the asking node's number for it. @returns the answer to it */
  answer (from: NodeId, id: number, reset: () => unknown): unknown {
    const key = `${from} ${id}`
    if (this.#answers.has(key)) return this.#answers.get(key)
    const answer = reset()
    this.#answers.set(key, answer)
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= maxResets) break
      this.#answers.delete(oldest)
    }
    return answer
  }
}
