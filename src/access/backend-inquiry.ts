import type { OutgoingHttpHeaders } from 'node:http'
import type { Durations } from '../logging/durations.ts'
import type { Logger } from '../logging/logger.ts'
import { readDocumentAnswer, readUserAnswer } from './backend-answer.ts'
import type { Answer, NoAnswer } from './backend-answer.ts'
import { BackendCaller, CallFailure } from './backend-call.ts'
import type { CallAnswer } from './backend-call.ts'
import { QueueOverload } from '../queue/bounded-queue.ts'
import { FailureLog } from './failure-log.ts'
import { mayNotRead, tryAgainLater } from './verdict.ts'
import type { Verdict } from './verdict.ts'

/** One browser's question: may it open this room? The headers are the browser's own, as they came. */
export interface Question {
  readonly room: string
  /** Takes turns with other askers: a browser session, or an address without one */
  readonly asker: string
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  /** `X-Forwarded-Proto`: without it a Django behind TLS may answer every call with a redirect to https. */
  readonly forwardedProto?: string | undefined
}

export interface BackendInquiryOptions {
  /** Django's address, http or https; a path in it is kept. */
  readonly baseUrl: string
  /** Where Django answers what the user may do with a document; holds `{room}`, may hold a query. */
  readonly documentPath: string
  /** Where Django answers who the user is. */
  readonly userPath: string
  /** Ms for one whole call. */
  readonly timeoutMs: number
  /** Calls under way at a time: the bound of what a restart with thousands of clients does to Django. */
  readonly maxCalls: number
  /** Bytes of one answer, default 64 MiB: La Suite puts the whole document into it. Only a small part is ever in memory. */
  readonly maxAnswerBytes?: number
  /** Sent with both calls as `X-Y-Provider-Key`, unless empty, the default: La Suite exempts it from its throttle. */
  readonly apiKey?: string
  /** Counts how long calls take, those without an answer too */
  readonly answers?: Durations
  readonly logger: Logger
  /** Ms since the epoch. */
  readonly now: () => number
}

export interface Finding {
  readonly verdict: Verdict
  /** Whether the verdict may be remembered: false where a fault has made a user anonymous. */
  readonly lasting: boolean
}

type UserAnswer = Answer<{ userId: string }>

const MAY_NOT_READ = mayNotRead('You may not read this document.')
const AWAY = 'The backend gave no answer, try again later.'

/** Asks Django about one browser and one room: two calls, one after the other, so that one question is one call at a time. */
export class BackendInquiry {
  readonly #options: BackendInquiryOptions
  readonly #documentPath: readonly string[]
  readonly #userUrl: URL
  readonly #caller: BackendCaller
  readonly #failures: FailureLog
  /** User calls under way: the many rooms that one browser opens at once share them. */
  readonly #users = new Map<string, Promise<UserAnswer>>()

  /** @throws Error where an option cannot be right, with a sentence that names it */
  constructor (options: BackendInquiryOptions) {
    const { baseUrl, documentPath, userPath, timeoutMs, maxCalls, maxAnswerBytes = 64 * 1024 * 1024, logger, now } = options
    if (!documentPath.includes('{room}')) throw new Error('The document path of the backend must contain {room}.')
    if (!(maxCalls >= 1)) throw new Error('The backend needs at least one call at a time.')
    this.#options = options
    this.#documentPath = documentPath.split('{room}')
    this.#userUrl = locate(baseUrl, userPath)
    this.#caller = new BackendCaller({ secure: this.#userUrl.protocol === 'https:', timeoutMs, maxBodyBytes: maxAnswerBytes, maxSockets: maxCalls })
    this.#failures = new FailureLog(logger, now)
  }

  /**
   * @param epoch that which the question is sent in
   * @throws Error where a call could not be made: hand it to `explain`
   */
  async inquire (question: Question, epoch: number): Promise<Finding> {
    const { room } = question
    const url = locate(this.#options.baseUrl, this.#documentPath.join(encodeURIComponent(room)))
    const document = readDocumentAnswer(await this.#call(url, question, 'abilities'), this.#options.now())
    if (document.kind === 'none') return this.#away(question, document)
    if (document.kind === 'no') {
      this.#options.logger.info({ room, status: document.status }, 'The backend refused a user the document.')
      return { verdict: MAY_NOT_READ, lasting: false }
    }
    const user = await this.#askWho(question)
    const userId = user.kind === 'yes' ? user.value.userId : undefined
    return { verdict: { allowed: true, userId, canEdit: document.value.canEdit, epoch }, lasting: user.kind !== 'none' }
  }

  /** Turns what kept a question from being answered into a verdict, and logs it. */
  explain (question: Question, error: unknown): Finding {
    return this.#away(question, noAnswerOf(error))
  }

  close (): void {
    this.#caller.close()
  }

  async #call (url: URL, question: Question, member: string): Promise<CallAnswer> {
    const startedAt = performance.now()
    try {
      return await this.#caller.get(url, headersOf(question, this.#options.apiKey), member)
    } finally {
      this.#options.answers?.observe(performance.now() - startedAt)
    }
  }

  #away (question: Question, answer: NoAnswer): Finding {
    const { cause, status, code, location, retryAfterMs } = answer
    this.#failures.report({ cause, call: 'document', room: question.room, status, code, location, retryAfterMs }, 'The backend did not say who may open a document.')
    return { verdict: tryAgainLater(AWAY, retryAfterMs), lasting: false }
  }

  /** Never rejects: who the user is may stay open, what they may do is known. */
  async #askWho (question: Question): Promise<UserAnswer> {
    const key = JSON.stringify([question.cookie, question.origin, question.forwardedProto])
    const pending = this.#users.get(key)
    if (pending !== undefined) return await pending
    const answer = this.#callWho(question)
    this.#users.set(key, answer)
    try {
      return await answer
    } finally {
      this.#users.delete(key)
    }
  }

  async #callWho (question: Question): Promise<UserAnswer> {
    const answer = await this.#call(this.#userUrl, question, 'id').then(
      (called: CallAnswer) => readUserAnswer(called, this.#options.now()),
      (error: unknown): UserAnswer => ({ kind: 'none', ...noAnswerOf(error) })
    )
    if (answer.kind === 'none') {
      const { cause, status, code, location } = answer
      this.#failures.report({ cause, call: 'user', room: question.room, status, code, location }, 'The backend did not say who a user is: they count as anonymous.')
    }
    return answer
  }
}

function noAnswerOf (error: unknown): NoAnswer {
  if (error instanceof QueueOverload) return { cause: 'overloaded', code: error.reason }
  if (error instanceof CallFailure) return { cause: error.kind, code: error.code }
  // A fault of our own; its message stays out of the log because it may quote a header.
  return { cause: 'unexpected', code: error instanceof Error ? error.name : undefined }
}

/** Appends a path to the backend's address, which may have one itself. */
function locate (baseUrl: string, path: string): URL {
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) throw new Error('The address of the backend must be an http or https URL.')
  return new URL(baseUrl.replace(/\/+$/, '') + (path.startsWith('/') ? path : `/${path}`))
}

function headersOf ({ cookie, origin, forwardedProto }: Question, apiKey = ''): OutgoingHttpHeaders {
  return {
    accept: 'application/json',
    'user-agent': 'y-provider',
    ...(apiKey !== '' && { 'x-y-provider-key': apiKey }),
    ...(cookie !== undefined && { cookie }),
    ...(origin !== undefined && { origin }),
    ...(forwardedProto !== undefined && { 'x-forwarded-proto': forwardedProto }),
  }
}
