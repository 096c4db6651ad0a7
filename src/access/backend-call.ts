import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { JsonMember } from './json-member.ts'

/** A call without an answer. `code` is Node's (`ECONNREFUSED`, a TLS error, …), never a message. */
export class CallFailure extends Error {
  readonly kind: 'unreachable' | 'timeout' | 'too-large' | 'closed'
  readonly code: string | undefined

  constructor (kind: CallFailure['kind'], code?: string) {
    super(`The call to the backend failed: ${kind}.`)
    this.kind = kind
    this.code = code
  }
}

/** The answer to a call. */
export interface CallAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The requested member of the JSON body. The body is read only if the status is 200. */
  readonly member: JsonMember
}

/** The scheme of a backend, and the limits of the calls to it. */
export interface BackendCallerOptions {
  /** Whether the backend speaks https. */
  readonly secure: boolean
  readonly timeoutMs: number
  /** Bytes of a body, once decompressed. */
  readonly maxBodyBytes: number
  /** Sockets kept open for the next call. */
  readonly maxSockets: number
}

/**
 * GETs URLs of one backend over kept-alive sockets. Redirects are returned and never followed, so that cookies go only
 * to the backend. The timeout holds for the whole call, body included.
 */
export class BackendCaller {
  readonly #options: BackendCallerOptions
  readonly #secure: boolean
  readonly #agent: HttpAgent
  /** Functions that each end one pending call. */
  readonly #open = new Set<(failure: CallFailure) => void>()
  #closed = false

  constructor (options: BackendCallerOptions) {
    this.#options = options
    this.#secure = options.secure
    const agentOptions = { keepAlive: true, maxSockets: options.maxSockets, scheduling: 'lifo' } as const
    this.#agent = this.#secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  }

  /**
   * @param member key of the JSON body's outermost object. Its value is kept; the rest is skipped as it arrives
   * @throws CallFailure if the call ended without a status
   */
  async get (url: URL, headers: OutgoingHttpHeaders, member: string): Promise<CallAnswer> {
    const reused = await this.#attempt(url, headers, member, this.#agent)
    // The backend closed an idle socket just as it was used, which is no failure of the backend.
    return reused === 'stale-socket' ? await this.#attemptFresh(url, headers, member) : reused
  }

  /** Ends the pending calls, which fail with kind `closed`, and closes the sockets. */
  close (): void {
    this.#closed = true
    for (const stop of this.#open) stop(new CallFailure('closed'))
    this.#agent.destroy()
  }

  async #attemptFresh (url: URL, headers: OutgoingHttpHeaders, member: string): Promise<CallAnswer> {
    const answer = await this.#attempt(url, headers, member, false)
    if (answer === 'stale-socket') throw new CallFailure('unreachable', 'ECONNRESET')
    return answer
  }

  #attempt (
    url: URL,
    headers: OutgoingHttpHeaders,
    member: string,
    agent: HttpAgent | false
  ): Promise<CallAnswer | 'stale-socket'> {
    if (this.#closed) throw new CallFailure('closed')
    const { timeoutMs, maxBodyBytes } = this.#options
    return new Promise((resolve, reject) => {
      const request = (this.#secure ? httpsRequest : httpRequest)(url, { agent, headers })
      let response: IncomingMessage | undefined
      const stop = (failure: CallFailure) => { (response ?? request).destroy(failure) }
      const timer = setTimeout(() => stop(new CallFailure('timeout')), timeoutMs)
      this.#open.add(stop)
      request.on('close', () => {
        clearTimeout(timer)
        this.#open.delete(stop)
      })
      request.on('error', (error) => {
        // Once the answer has begun, its reader gets the same error and knows the status.
        if (response !== undefined) return
        const failure = asCallFailure(error)
        if (request.reusedSocket && failure.code === 'ECONNRESET') resolve('stale-socket')
        else reject(failure)
      })
      request.on('response', (message) => {
        response = message
        readAnswer(message, member, maxBodyBytes).then(resolve, reject)
      })
      request.end()
    })
  }
}

/** Bytes of an error page that are read so that its socket can be reused; a longer page closes the socket. */
const maxIgnoredBytes = 64 * 1024

/** Reads an answer. A status other than 200 needs no body: then a truncated, slow or large body makes no difference. */
async function readAnswer (response: IncomingMessage, name: string, maxBodyBytes: number): Promise<CallAnswer> {
  const status = response.statusCode ?? 0
  const limit = status === 200 ? maxBodyBytes : maxIgnoredBytes
  const member = new JsonMember(name)
  try {
    let bytes = 0
    for await (const chunk of status === 200 ? decompress(response) : response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > limit) throw new CallFailure('too-large')
      if (status === 200) member.write(chunk)
    }
  } catch (error) {
    if (status === 200) throw asCallFailure(error)
  }
  return { status, headers: response.headers, member }
}

/** The body in pieces of at most 64 KiB. The request does not mention gzip, which HTTP then allows. */
function decompress (response: IncomingMessage): AsyncIterable<Buffer> {
  const encoding = response.headers['content-encoding']?.toLowerCase()
  // The reader of the body gets its errors. Without an encoding set, a stream yields buffers.
  return encoding === 'gzip' || encoding === 'x-gzip' ? pipeline(response, createGunzip(), () => {}) : response
}

/** Keeps only the code of Node's errors: their messages can quote a header. */
function asCallFailure (error: unknown): CallFailure {
  if (error instanceof CallFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return new CallFailure('unreachable', code)
}
