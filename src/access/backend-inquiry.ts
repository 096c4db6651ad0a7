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

/** The question whether a browser can open a room. The headers are the browser's own, unchanged. */
export interface Question {
  readonly room: string
  /** The party that takes turns with others: a browser session; without one, an address. */
  readonly asker: string
  readonly cookie?: string | undefined
  readonly origin?: string | undefined
  /** `X-Forwarded-Proto`: without it, a Django behind TLS can answer every call with a redirect to https. */
  readonly forwardedProto?: string | undefined
}

/** The addresses that answer questions about access, and the limits of the calls. */
export interface BackendInquiryOptions {
  /** Django's base URL, http or https; its path is kept. */
  readonly baseUrl: string
  /** The path at which Django returns the user's abilities for a document; contains `{room}`, and perhaps a query. */
  readonly documentPath: string
  /** The path at which Django returns the user's id. */
  readonly userPath: string
  /** ms for one whole call. */
  readonly timeoutMs: number
  /** Concurrent calls: limits the load on Django when thousands of clients reconnect. */
  readonly maxCalls: number
  /** Bytes of one answer, default 64 MiB: La Suite includes the whole document. Only a small part is in memory. */
  readonly maxAnswerBytes?: number
  /**
   * Sent with both calls as `X-Y-Provider-Key`, which exempts them from La Suite's throttle. Default: empty, not sent.
   */
  readonly apiKey?: string
  /** Measures the calls, including those without an answer. */
  readonly answers?: Durations
  readonly logger: Logger
  /** ms since the epoch. */
  readonly now: () => number
}

/** A verdict that Django's answers led to. */
export interface Finding {
  readonly verdict: Verdict
  /** Whether the verdict can be cached: not if a fault made a user anonymous. */
  readonly lasting: boolean
}

type UserAnswer = Answer<{ userId: string }>

const accessDenied = mayNotRead('You may not read this document.')
const unavailableReason = 'The backend gave no answer, try again later.'

/**
 * Asks Django about one browser and one room in two calls, one after the other, so that a question is one call at a
 * time.
 */
export class BackendInquiry {
  readonly #options: BackendInquiryOptions
  readonly #documentPath: readonly string[]
  readonly #userUrl: URL
  readonly #caller: BackendCaller
  readonly #failures: FailureLog
  /** Pending calls for a user, which all rooms share that a browser opens at once. */
  readonly #users = new Map<string, Promise<UserAnswer>>()

  /** @throws Error for an invalid option, with a sentence that names it */
  constructor (options: BackendInquiryOptions) {
    const {
      baseUrl,
      documentPath,
      userPath,
      timeoutMs,
      maxCalls,
      maxAnswerBytes = 64 * 1024 * 1024,
      logger,
      now,
    } = options
    if (!documentPath.includes('{room}')) throw new Error('The document path of the backend must contain {room}.')
    if (!(maxCalls >= 1)) throw new Error('The backend needs at least one call at a time.')
    this.#options = options
    this.#documentPath = documentPath.split('{room}')
    this.#userUrl = locate(baseUrl, userPath)
    this.#caller = new BackendCaller({
      secure: this.#userUrl.protocol === 'https:',
      timeoutMs,
      maxBodyBytes: maxAnswerBytes,
      maxSockets: maxCalls,
    })
    this.#failures = new FailureLog(logger, now)
  }

  /**
   * Asks whether the browser can open the room.
   * @param epoch the epoch in which the question is sent
   * @throws Error if a call could not be made: pass it to `explain`
   */
  async inquire (question: Question, epoch: number): Promise<Finding> {
    const { room } = question
    const url = locate(this.#options.baseUrl, this.#documentPath.join(encodeURIComponent(room)))
    const document = readDocumentAnswer(await this.#call(url, question, 'abilities'), this.#options.now())
    if (document.kind === 'none') return this.#unavailable(question, document)
    if (document.kind === 'no') {
      this.#options.logger.info({ room, status: document.status }, 'The backend denied a user access to a document')
      return { verdict: accessDenied, lasting: false }
    }
    const user = await this.#findUser(question)
    const userId = user.kind === 'yes' ? user.value.userId : undefined
    return { verdict: { allowed: true, userId, canEdit: document.value.canEdit, epoch }, lasting: user.kind !== 'none' }
  }

  /** Turns a failure to ask into a verdict, and logs it. */
  explain (question: Question, error: unknown): Finding {
    return this.#unavailable(question, noAnswerOf(error))
  }

  /** Ends the pending calls. */
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

  #unavailable (question: Question, answer: NoAnswer): Finding {
    const { cause, status, code, location, retryAfterMs } = answer
    const failure = { cause, call: 'document', room: question.room, status, code, location, retryAfterMs } as const
    this.#failures.report(failure, 'Failed to ask the backend about access to a document')
    return { verdict: tryAgainLater(unavailableReason, retryAfterMs), lasting: false }
  }

  /** Never rejects: the user can stay unknown, because the document call has already decided access. */
  async #findUser (question: Question): Promise<UserAnswer> {
    const key = JSON.stringify([question.cookie, question.origin, question.forwardedProto])
    const pending = this.#users.get(key)
    if (pending !== undefined) return await pending
    const answer = this.#callForUser(question)
    this.#users.set(key, answer)
    try {
      return await answer
    } finally {
      this.#users.delete(key)
    }
  }

  async #callForUser (question: Question): Promise<UserAnswer> {
    const answer = await this.#call(this.#userUrl, question, 'id').then(
      (called: CallAnswer) => readUserAnswer(called, this.#options.now()),
      (error: unknown): UserAnswer => ({ kind: 'none', ...noAnswerOf(error) })
    )
    if (answer.kind === 'none') {
      const { cause, status, code, location } = answer
      const failure = { cause, call: 'user', room: question.room, status, code, location } as const
      this.#failures.report(failure, 'Failed to ask the backend for a user; the user counts as anonymous')
    }
    return answer
  }
}

function noAnswerOf (error: unknown): NoAnswer {
  if (error instanceof QueueOverload) return { cause: 'overloaded', code: error.reason }
  if (error instanceof CallFailure) return { cause: error.kind, code: error.code }
  // A fault of this program. Its message stays out of the log, because it can quote a header.
  return { cause: 'unexpected', code: error instanceof Error ? error.name : undefined }
}

/** Appends a path to the backend's base URL, which can have a path itself. */
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
