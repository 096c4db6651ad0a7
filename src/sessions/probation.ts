import { tryAgainLater, type Verdict } from '../access/verdict.ts'
import { CallQueue } from '../call-queue.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Gate } from './gate.ts'

/** Questions at a time from a socket that was never let in; the others wait. Each may be a call to Django. */
const maxQuestions = 4
/** Refusals on one socket that was never let in, and on one that was: twice the documents it may carry */
const maxStrangerRefusals = 20
const maxRefusals = 400

const closed = tryAgainLater('The socket was closed.')

/** What a Hocuspocus socket may do before it is let into a document, and how long it may carry none. */
export class Probation {
  readonly #gate: Gate
  readonly #address: string
  readonly #close: (reason: CloseReason) => void
  /** Engine time in ms */
  readonly #openedAt: number
  readonly #questions: CallQueue
  /** Runs while the socket carries no document, not even one that is being judged */
  #timer: NodeJS.Timeout | undefined
  #hasBeenLetIn = false
  /** As one that carries nothing but refused documents */
  #isCounted = false
  #hasEnded = false
  #refusals = 0

  constructor (gate: Gate, address: string, close: (reason: CloseReason) => void) {
    this.#gate = gate
    this.#address = address
    this.#close = close
    this.#openedAt = gate.now()
    this.#questions = new CallQueue({ maxRunning: maxQuestions, maxWaiting: Infinity, maxWaitMs: Infinity, now: gate.now })
  }

  /** Asks at once if the socket has been let in before; otherwise when it is its turn, unless the socket has ended. */
  async ask (question: () => Promise<Verdict>): Promise<Verdict> {
    if (this.#hasBeenLetIn) return await question()
    return await this.#questions.run(async () => this.#hasEnded ? closed : await question())
  }

  /** Counts one more refusal. @returns false where it is one too many */
  countRefusal (): boolean {
    return ++this.#refusals <= (this.#hasBeenLetIn ? maxRefusals : maxStrangerRefusals)
  }

  /** The socket carries no document now. */
  awaitDocument (hasBeenRefused: boolean): void {
    const { limits, authTimeoutMs, emptyTimeoutMs, now } = this.#gate
    clearTimeout(this.#timer)
    if (hasBeenRefused && !this.#isCounted) {
      if (!limits.enterRefused(this.#address)) return this.#close(closes.tooManyConnections)
      this.#isCounted = true
    }
    // Before somebody is let in, what comes and goes does not prolong it.
    const waitedMs = this.#hasBeenLetIn ? 0 : now() - this.#openedAt
    const mayStay = this.#hasBeenLetIn || hasBeenRefused
    const limitMs = mayStay ? emptyTimeoutMs : authTimeoutMs
    this.#timer = setTimeout(() => { this.#close(mayStay ? closes.silent : closes.noCredentials) }, Math.max(0, limitMs - waitedMs))
  }

  /** A document is being judged. */
  pause (): void { clearTimeout(this.#timer) }

  /** The socket carries a document. */
  letIn (): void {
    this.#hasBeenLetIn = true
    clearTimeout(this.#timer)
    this.#uncount()
  }

  /** The socket has ended. */
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
