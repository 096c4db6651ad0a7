import { tryAgainLater, type Verdict } from '../access/verdict.ts'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Gate } from './gate.ts'

/** Documents judged at a time for a socket that was never admitted; the others wait. Each can be a call to Django. */
const maxJudged = 4
/** Refusals on a socket that was never admitted, and on one that was: twice the documents that it can carry */
const maxRefusalsBeforeAdmission = 20
const maxRefusals = 400

const closed = tryAgainLater('The socket was closed.')

/** Limits a Hocuspocus socket until it is admitted to a document, and closes one that carries none for too long. */
export class Probation {
  readonly #gate: Gate
  readonly #address: string
  readonly #close: (reason: CloseReason) => void
  /** Engine time in ms */
  readonly #openedAt: number
  readonly #judging: BoundedQueue
  /** Runs while the socket carries no document, not even one that is being judged */
  #timer: NodeJS.Timeout | undefined
  #hasBeenLetIn = false
  /** Among the sockets whose documents were all refused */
  #isCounted = false
  #hasEnded = false
  #refusals = 0

  constructor (gate: Gate, address: string, close: (reason: CloseReason) => void) {
    this.#gate = gate
    this.#address = address
    this.#close = close
    this.#openedAt = gate.now()
    const { now } = gate
    this.#judging = new BoundedQueue({ maxRunning: maxJudged, maxWaiting: Infinity, maxWaitMs: Infinity, now })
  }

  /**
   * Judges a document: at once if the socket has been admitted before; otherwise in turn, unless the socket has closed
   * by then.
   */
  async judge (authorise: () => Promise<Verdict>): Promise<Verdict> {
    if (this.#hasBeenLetIn) return await authorise()
    return await this.#judging.run(async () => this.#hasEnded ? closed : await authorise())
  }

  /** Counts one more refusal. @returns false: it is one too many */
  countRefusal (): boolean {
    return ++this.#refusals <= (this.#hasBeenLetIn ? maxRefusals : maxRefusalsBeforeAdmission)
  }

  /** The socket carries no document now. */
  awaitDocument (hasBeenRefused: boolean): void {
    const { limits, authTimeoutMs, emptyTimeoutMs, now } = this.#gate
    clearTimeout(this.#timer)
    if (hasBeenRefused && !this.#isCounted) {
      if (!limits.enterRefused(this.#address)) return this.#close(closes.tooManyConnections)
      this.#isCounted = true
    }
    // Until the socket is admitted, refused and left documents do not extend its time.
    const waitedMs = this.#hasBeenLetIn ? 0 : now() - this.#openedAt
    const canStay = this.#hasBeenLetIn || hasBeenRefused
    const limitMs = canStay ? emptyTimeoutMs : authTimeoutMs
    const reason = canStay ? closes.silent : closes.noCredentials
    this.#timer = setTimeout(() => { this.#close(reason) }, Math.max(0, limitMs - waitedMs))
  }

  /** A document is being judged. */
  pause (): void { clearTimeout(this.#timer) }

  /** The socket carries a document. */
  letIn (): void {
    this.#hasBeenLetIn = true
    clearTimeout(this.#timer)
    this.#uncount()
  }

  /** The socket has closed. */
  end (): void {
    this.#hasEnded = true
    clearTimeout(this.#timer)
    this.#uncount()
  }

  #uncount (): void {
    if (this.#isCounted) this.#gate.limits.leaveRefused(this.#address)
    this.#isCounted = false
  }
}
