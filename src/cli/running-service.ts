import type { Environment } from '../settings/prepare.ts'
import { setting } from './setting.ts'

/** ms for one request; a deletion waits for all nodes. */
const requestTimeoutMs = 30_000

/** Addresses that a service listens on and nobody can connect to, and those to use instead. */
const reachable: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/** The answer of a service. */
export interface ServiceAnswer {
  readonly status: number
  /** The sentence of an error; empty: it is none */
  readonly error: string
}

/** The service that has these variables, reached over HTTP as Django does. */
export class RunningService {
  readonly address: string
  readonly #secret: string

  private constructor (address: string, secret: string) {
    this.address = address
    this.#secret = secret
  }

  /**
   * Looks for the service at `HOST` and `PORT`.
   * @returns undefined if nothing listens there
   * @throws Error if something else answers, or nothing although something listens
   */
  static async find (env: Environment): Promise<RunningService | undefined> {
    const host = setting(env, 'HOST')
    const address = `${bracketed(reachable[host] ?? host)}:${setting(env, 'PORT')}`
    const pong = await request(address, 'GET', '/ping').catch((error: unknown) => {
      if (isRefused(error)) return undefined
      throw new Error(`The service at ${address} does not answer`, { cause: error })
    })
    if (pong === undefined) return undefined
    // Nothing else gets the secret.
    if (pong.text !== '{"message":"pong"}') throw new Error(`What listens at ${address} is not y-provider: set HOST and PORT as for the service`)
    return new RunningService(address, setting(env, 'COLLABORATION_SERVER_SECRET'))
  }

  /** Deletes a document. */
  async delete (document: string): Promise<ServiceAnswer> {
    const path = `/collaboration/api/documents/${encodeURIComponent(document)}/`
    const { status, text } = await request(this.address, 'DELETE', path, { authorization: this.#secret })
    return { status, error: status < 300 ? '' : errorIn(text) }
  }
}

async function request (
  address: string,
  method: string,
  path: string,
  headers: Record<string, string> = {}
): Promise<{ status: number, text: string }> {
  const signal = AbortSignal.timeout(requestTimeoutMs)
  const response = await fetch(`http://${address}${path}`, { method, headers, redirect: 'error', signal })
  return { status: response.status, text: await response.text() }
}

const bracketed = (host: string): string => host.includes(':') ? `[${host}]` : host

/** Node's `fetch` has the reason in the cause; where a name has several addresses, in the first of its errors. */
function isRefused (error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  return first instanceof Error && 'code' in first && first.code === 'ECONNREFUSED'
}

function errorIn (text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'error' in body) return String(body.error)
  } catch {
    // A proxy answers with a page.
  }
  return 'The service has answered with an error'
}
