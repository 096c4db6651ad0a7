import { createHash } from 'node:crypto'
import { BackendInquiry } from './backend-inquiry.ts'
import type { BackendInquiryOptions, Finding, Question } from './backend-inquiry.ts'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import type { Epochs } from './epochs.ts'
import { VerdictCache } from './verdict-cache.ts'
import { mayNotRead, tryAgainLater } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** The addresses and limits of the calls to Django, and how long their answers are used. */
export interface BackendOptions extends BackendInquiryOptions {
  /** ms for which granted access is cached; 0, the default: not at all. */
  readonly cacheMs?: number
  /**
   * Questions that can wait for their turn, default 10,000, a tenth of them from one asker. Further clients have to
   * retry.
   */
  readonly maxWaiting?: number
  /** ms that a question can wait for its turn, default 15,000: after 30 s its client has given up. */
  readonly maxWaitMs?: number
  /** The resets: an answer from before a reset is not used. */
  readonly epochs: Epochs
}

/** Django, which decides who can open a room. */
export interface Backend {
  /**
   * Asks whether a browser can open a room. Askers take turns. Identical pending questions are asked once; a question
   * that a reset overtakes is asked again. Never rejects: without an answer it returns `Unavailable`.
   * @param options `fresh` ignores cached verdicts
   */
  ask (question: Question, options?: { readonly fresh?: boolean }): Promise<Verdict>

  /** Ends the pending calls, and answers every further question with `Unavailable`. */
  close (): void
}

/** A pending question. */
interface Pending {
  /** Never rejects. */
  readonly finding: Promise<Finding>
  readonly state: PendingState
}

interface PendingState {
  /** The epoch in which it was sent to Django; undefined: it still waits for its turn, and no reset can overtake it. */
  sentIn: number | undefined
}

/** How often a question is asked while resets overtake its answers. */
const maxAttempts = 5

/**
 * Makes a backend. It sends nothing before the first question.
 * @throws Error for an invalid option, with a sentence that names it
 */
export function openBackend (options: BackendOptions): Backend {
  return new DjangoBackend(options)
}

class DjangoBackend implements Backend {
  readonly #inquiry: BackendInquiry
  readonly #queue: BoundedQueue
  readonly #cache: VerdictCache
  readonly #epochs: Epochs
  readonly #pending = new Map<string, Pending>()
  #closed = false

  constructor (options: BackendOptions) {
    const { now, maxCalls, cacheMs = 0, maxWaiting = 10_000, maxWaitMs = 15_000, epochs } = options
    this.#inquiry = new BackendInquiry(options)
    this.#queue = new BoundedQueue({
      maxRunning: maxCalls,
      maxWaiting,
      maxWaitingPerKey: Math.ceil(maxWaiting / 10),
      maxWaitMs,
      now,
    })
    this.#cache = new VerdictCache(cacheMs, now, epochs)
    this.#epochs = epochs
  }

  async ask (question: Question, { fresh = false } = {}): Promise<Verdict> {
    if (!isAskable(question)) return mayNotRead('The name of the document or a header is not allowed.', 'roomName')
    const key = keyOf(question)
    for (let attempt = 0; attempt < maxAttempts && !this.#closed; attempt++) {
      const remembered = fresh ? undefined : this.#cache.get(key)
      if (remembered !== undefined) return remembered
      const { finding, state } = this.#pendingOf(key, question)
      const { verdict } = await finding
      if (!this.#isOvertaken(question, state)) return verdict
      // A series of resets of other users must not keep this one out.
      if (attempt === maxAttempts - 1 && this.#isCurrent(question, verdict)) return verdict
    }
    return tryAgainLater(this.#closed ? 'The service is stopping, try again later.' : 'Rights are changing, try again later.')
  }

  close (): void {
    this.#closed = true
    this.#inquiry.close()
    this.#cache.clear()
  }

  /** Whether a verdict for a known user still holds for that user. */
  #isCurrent ({ room }: Question, verdict: Verdict): boolean {
    if (!verdict.allowed || verdict.userId === undefined) return false
    return this.#epochs.isCurrent(verdict.epoch, room, verdict.userId)
  }

  /** The pending question, or a new one. */
  #pendingOf (key: string, question: Question): Pending {
    const pending = this.#pending.get(key)
    return pending === undefined || this.#isOvertaken(question, pending.state) ? this.#start(key, question) : pending
  }

  /** Whether any reset in the room has overtaken the question: before the answer, its user is not known. */
  #isOvertaken ({ room }: Question, { sentIn }: PendingState): boolean {
    return sentIn !== undefined && !this.#epochs.isUntouched(sentIn, room)
  }

  #start (key: string, question: Question): Pending {
    const state: PendingState = { sentIn: undefined }
    const inquire = () => {
      state.sentIn = this.#epochs.current
      return this.#inquiry.inquire(question, state.sentIn)
    }
    const finding = this.#queue.run(inquire, question.asker)
      .catch((error: unknown) => this.#inquiry.explain(question, error))
      .then((found) => {
        // A question that was overtaken can have been replaced.
        if (this.#pending.get(key)?.state === state) this.#settle(key, question, state, found)
        return found
      })
    const pending = { finding, state }
    this.#pending.set(key, pending)
    return pending
  }

  #settle (key: string, question: Question, state: PendingState, { verdict, lasting }: Finding): void {
    this.#pending.delete(key)
    if (verdict.allowed && lasting && !this.#isOvertaken(question, state)) this.#cache.set(key, question.room, verdict)
    else this.#cache.delete(key)
  }
}

/**
 * The key of equal questions: a digest, so that no cookie stays in memory after its user has left. The asker is part of
 * it: a visitor without a session must not wait for another visitor's turn, after that visitor's other questions.
 */
function keyOf ({ room, asker, cookie, origin, forwardedProto }: Question): string {
  return createHash('sha256').update(JSON.stringify([room, asker, cookie, origin, forwardedProto])).digest('base64')
}

/**
 * Whether a question can be sent: its room must not change the path and must have UTF-8, and HTTP must allow the
 * headers.
 */
function isAskable ({ room, cookie = '', origin = '', forwardedProto = '' }: Question): boolean {
  if (room === '' || room === '.' || room === '..' || /\p{Surrogate}/u.test(room)) return false
  return [cookie, origin, forwardedProto].every((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
}
