import { createHash } from 'node:crypto'
import { BackendInquiry } from './backend-inquiry.ts'
import type { BackendInquiryOptions, Finding, Question } from './backend-inquiry.ts'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import type { Epochs } from './epochs.ts'
import { VerdictCache } from './verdict-cache.ts'
import { mayNotRead, tryAgainLater } from './verdict.ts'
import type { Verdict } from './verdict.ts'

export interface BackendOptions extends BackendInquiryOptions {
  /** Ms for which a yes is remembered; 0, the default: not at all. */
  readonly cacheMs?: number
  /**
   * Questions that can wait for their turn, default 10,000, a tenth of them from one asker. Further clients are told to
   * try again.
   */
  readonly maxWaiting?: number
  /** Ms that a question may wait for its turn, default 15,000: after 30 s the client has given up by itself. */
  readonly maxWaitMs?: number
  /** Knows of resets: an answer from before one counts for nobody. */
  readonly epochs: Epochs
}

/** Django as the one that decides who may open a room. */
export interface Backend {
  /**
   * Asks whether this browser may open this room. Askers take turns. Identical questions under way are asked once; one
   * that a reset overtakes is asked anew before anyone gets an answer. Never rejects: no answer is `Unavailable`.
   * `fresh` ignores remembered verdicts.
   */
  ask (question: Question, options?: { readonly fresh?: boolean }): Promise<Verdict>

  /** Ends the calls under way; every question is from now on answered with `Unavailable`. */
  close (): void
}

/** A question that somebody waits for. */
interface Pending {
  /** Never rejects. */
  readonly finding: Promise<Finding>
  readonly state: PendingState
}

interface PendingState {
  /** The epoch in which it was sent to Django; undefined: it still waits for its turn, and no reset overtakes it. */
  sentIn: number | undefined
}

/** Times that a question is asked when resets keep overtaking its answers. */
const MAX_ATTEMPTS = 5

/**
 * Opens the way to Django. Nothing is sent before the first question.
 * @throws Error where an option cannot be right, with a sentence that names it
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
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !this.#closed; attempt++) {
      const remembered = fresh ? undefined : this.#cache.get(key)
      if (remembered !== undefined) return remembered
      const { finding, state } = this.#pendingOf(key, question)
      const { verdict } = await finding
      if (!this.#isOvertaken(question, state)) return verdict
      // Resets of other people one after the other should not keep somebody out.
      const isLast = attempt === MAX_ATTEMPTS - 1
      if (isLast && verdict.allowed && verdict.userId !== undefined && this.#epochs.isCurrent(verdict.epoch, question.room, verdict.userId)) return verdict
    }
    return tryAgainLater(this.#closed ? 'The service is stopping, try again later.' : 'Rights are changing, try again later.')
  }

  close (): void {
    this.#closed = true
    this.#inquiry.close()
    this.#cache.clear()
  }

  /** The question as it is under way, or a new one. */
  #pendingOf (key: string, question: Question): Pending {
    const pending = this.#pending.get(key)
    return pending === undefined || this.#isOvertaken(question, pending.state) ? this.#start(key, question) : pending
  }

  /** By anybody's reset: whose question it is nobody knows before the answer. */
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
        // One that was overtaken may have another in its place.
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
 * A digest, so that no cookie stays in memory after its user has left. The asker is part of it: a visitor without a
 * session must not wait for another visitor's turn, behind that visitor's other questions.
 */
function keyOf ({ room, asker, cookie, origin, forwardedProto }: Question): string {
  return createHash('sha256').update(JSON.stringify([room, asker, cookie, origin, forwardedProto])).digest('base64')
}

/** A room that would name another path or has no UTF-8, and header values that HTTP cannot carry, are not worth a call. */
function isAskable ({ room, cookie = '', origin = '', forwardedProto = '' }: Question): boolean {
  if (room === '' || room === '.' || room === '..' || /\p{Surrogate}/u.test(room)) return false
  return [cookie, origin, forwardedProto].every((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value))
}
