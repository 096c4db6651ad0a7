import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import type { Test } from 'tap'
import { openBackend } from '../../src/access/backend.ts'
import type { Backend, BackendOptions } from '../../src/access/backend.ts'
import { Epochs } from '../../src/access/epochs.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A server that answers as Django does, and counts the requests. */
export interface Django {
  readonly baseUrl: string
  /** Requested addresses, in order. */
  readonly asked: string[]
  /** The largest number of simultaneous requests so far. */
  readonly maxInFlight: () => number
  /** Resolves when so many requests have arrived in total. */
  readonly untilAsked: (count: number) => Promise<void>
  /** Stops listening and drops all sockets. */
  readonly stop: () => Promise<void>
}

/** Starts a server on a free port; it ends with the test. */
export async function startDjango (t: Test, handler: Handler): Promise<Django> {
  const asked: string[] = []
  const waiting = new Set<() => void>()
  let inFlight = 0
  let most = 0
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    most = Math.max(most, ++inFlight)
    response.once('close', () => { inFlight-- })
    handler(request, response)
    for (const check of waiting) check()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  t.teardown(stop)
  const untilAsked = async (count: number) => await new Promise<void>((resolve) => {
    const check = () => {
      if (asked.length < count) return
      waiting.delete(check)
      resolve()
    }
    waiting.add(check)
    check()
  })
  // A server that listens on TCP has an address object.
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}`, asked, maxInFlight: () => most, untilAsked, stop }
}

export function answer (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

export const mayRead = { abilities: { retrieve: true, update: false } }
export const mayEdit = { abilities: { retrieve: true, update: true } }

/** Answers user calls with an id, document calls with `document`. */
export function routes (document: Handler, user: Handler = (_, response) => answer(response, 200, { id: 'u1' })): Handler {
  return (request, response) => { (request.url?.startsWith('/api/v1.0/users/me/') ? user : document)(request, response) }
}

/** A real pino logger whose lines can be read. */
export function captureLog () {
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => { lines.push(line) } })
  return { logger, lines, text: () => lines.join('') }
}

/** Opens a backend with the paths of the contract; it ends with the test. */
export function open (t: Test, options: Pick<BackendOptions, 'baseUrl'> & Partial<BackendOptions>): Backend {
  const backend = openBackend({
    documentPath: '/api/v1.0/documents/{room}/',
    userPath: '/api/v1.0/users/me/',
    timeoutMs: 20_000,
    maxCalls: 10,
    logger: captureLog().logger,
    now: Date.now,
    epochs: new Epochs(),
    ...options,
  })
  t.teardown(() => backend.close())
  return backend
}
