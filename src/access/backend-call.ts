import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

/** Why a call had no answer. `code` is Node's (`ECONNREFUSED`, a TLS error, ...), never a message. */
export class CallFailure extends Error {
  readonly kind: 'unreachable' | 'timeout' | 'too-large' | 'closed'
  readonly code: string | undefined

  constructor (kind: CallFailure['kind'], code?: string) {
    super(`The call to the backend failed: ${kind}.`)
    this.kind = kind
    this.code = code
  }
}

export interface CallAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Empty unless the status is 200: nobody reads another one's. */
  readonly body: Buffer
}

export interface BackendCallerOptions {
  /** Whether the backend speaks https. */
  readonly secure: boolean
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** Sockets kept open for the next call. */
  readonly maxSockets: number
}

/**
 * GETs addresses of one backend over kept-alive sockets. Redirects are answers like others, never followed: the cookies
 * go to the backend and to nobody else. The timeout holds for the whole call, body included.
 */
export class BackendCaller {
  readonly #options: BackendCallerOptions
  readonly #secure: boolean
  readonly #agent: HttpAgent
  /** Ends one call under way each. */
  readonly #open = new Set<(failure: CallFailure) => void>()
  #closed = false

  constructor (options: BackendCallerOptions) {
    this.#options = options
    this.#secure = options.secure
    const agentOptions = { keepAlive: true, maxSockets: options.maxSockets, scheduling: 'lifo' } as const
    this.#agent = this.#secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  }

  /** @throws CallFailure where there is no status to judge by */
  async get (url: URL, headers: OutgoingHttpHeaders): Promise<CallAnswer> {
    const reused = await this.#attempt(url, headers, this.#agent)
    // The backend closed an idle socket in the moment we used it: that says nothing about the backend.
    return reused === 'stale-socket' ? await this.#attemptFresh(url, headers) : reused
  }

  /** Ends the calls under way, which fail with kind `closed`, and lets go of the sockets. */
  close (): void {
    this.#closed = true
    for (const stop of this.#open) stop(new CallFailure('closed'))
    this.#agent.destroy()
  }

  async #attemptFresh (url: URL, headers: OutgoingHttpHeaders): Promise<CallAnswer> {
    const answer = await this.#attempt(url, headers, false)
    if (answer === 'stale-socket') throw new CallFailure('unreachable', 'ECONNRESET')
    return answer
  }

  #attempt (url: URL, headers: OutgoingHttpHeaders, agent: HttpAgent | false): Promise<CallAnswer | 'stale-socket'> {
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
        // Once the answer has begun, whoever reads it sees the same error and knows the status.
        if (response !== undefined) return
        const failure = asCallFailure(error)
        if (request.reusedSocket && failure.code === 'ECONNRESET') resolve('stale-socket')
        else reject(failure)
      })
      request.on('response', (message) => {
        response = message
        readAnswer(message, maxBodyBytes).then(resolve, reject)
      })
      request.end()
    })
  }
}

/** Bytes of an error page that are read to keep its socket usable; a longer one costs the socket instead. */
const MAX_IGNORED_BYTES = 64 * 1024

/** A status other than 200 says all there is to know: then a body that breaks off, drags on or grows changes nothing. */
async function readAnswer (response: IncomingMessage, maxBodyBytes: number): Promise<CallAnswer> {
  const status = response.statusCode ?? 0
  const limit = status === 200 ? maxBodyBytes : MAX_IGNORED_BYTES
  const chunks: Buffer[] = []
  try {
    let bytes = 0
    // Without an encoding set, a message yields buffers.
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > limit) throw new CallFailure('too-large')
      if (status === 200) chunks.push(chunk)
    }
  } catch (error) {
    if (status === 200) throw asCallFailure(error)
  }
  return { status, headers: response.headers, body: Buffer.concat(chunks) }
}

/** Keeps of Node's errors the code only: their messages may quote a header. */
function asCallFailure (error: unknown): CallFailure {
  if (error instanceof CallFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return new CallFailure('unreachable', code)
}
