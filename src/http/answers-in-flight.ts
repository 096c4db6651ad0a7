import type { FastifyReply } from 'fastify'
import { Busy } from '../errors.ts'
import { onAnswerEnd } from './answer-end.ts'

/**
 * Large answers that clients have not read yet. They are kept in memory, so their bytes are bounded, and a client that
 * stops reading is disconnected.
 */
export class AnswersInFlight {
  readonly #maxBytes: number
  readonly #stalledMs: number
  #bytes = 0

  /**
   * @param maxBytes from which no further answer is begun
   * @param stalledMs without progress after which a client is disconnected
   */
  constructor (maxBytes: number, stalledMs: number) {
    this.#maxBytes = maxBytes
    this.#stalledMs = stalledMs
  }

  /** Bytes of the answers that clients have not read completely */
  get bytes (): number { return this.#bytes }

  /** Checks that another answer can be begun. @throws Busy */
  assertRoom (): void {
    if (this.#bytes >= this.#maxBytes) throw new Busy()
  }

  /** Counts an answer until its client has read it or is gone. */
  add (reply: FastifyReply, bytes: number): void {
    const { raw } = reply
    this.#bytes += bytes
    onAnswerEnd(reply, () => { this.#bytes -= bytes })
    // Node counts each part of an answer that the client takes as progress.
    raw.setTimeout(this.#stalledMs, () => { raw.destroy() })
  }
}
