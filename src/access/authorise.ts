import { createHash } from 'node:crypto'
import type { RefusalRule } from '../logging/refusal-rules.ts'
import type { Question } from './backend-inquiry.ts'
import type { Backend } from './backend.ts'
import type { Epochs } from './epochs.ts'
import { headerOf } from './fields.ts'
import type { Fields } from './fields.ts'
import { readForwardedHeaders } from './forwarded-headers.ts'
import { readSessionCookie } from './session-cookie.ts'
import type { TicketCheck } from './ticket.ts'
import { invalidTicket, mayNotRead, noCookies } from './verdict.ts'
import type { Allowed, Denied, Verdict } from './verdict.ts'

/** A request for a WebSocket, with everything that decides about access. Its origin has been checked already. */
export interface Handshake {
  readonly protocol: 'y-websocket' | 'hocuspocus'
  /** The room that the address names (y-websocket: its path; Hocuspocus: `?room=`), percent-decoded once. */
  readonly room?: string | undefined
  readonly headers: Fields
  readonly query: Fields
  /** The client's address, or the one that trusted proxies report. */
  readonly address: string
  /** The browser's scheme (`https`), as a trusted proxy reports it; undefined: no trusted proxy reports it. */
  readonly forwardedProto?: string | undefined
}

/** The answer to a handshake. */
export type Outcome =
  /** Answer 403 instead of upgrading. */
  | { readonly outcome: 'http403', readonly rule: RefusalRule, readonly reason: string }
  /** Upgrade; then admit the connection, or deny access with the protocol's own message and the verdict's code. */
  | { readonly outcome: 'verdict', readonly verdict: Verdict }
  /** Upgrade a Hocuspocus socket that can send only Auth messages, each of which `authoriseAuthMessage` checks. */
  | { readonly outcome: 'awaitAuthMessage' }

/** The credentials that an authoriser accepts. */
export interface AuthoriserOptions {
  /** Whether an `Authorization` header is one of the service's own secrets; see `createSecretCheck`. */
  readonly isSecret: (authorization: string | undefined) => boolean
  readonly checkTicket: TicketCheck
  /** undefined: cookies give no access. */
  readonly backend?: Backend | undefined
  /** Names of session cookies; the first one present is the session key. */
  readonly sessionCookies: readonly string[]
  /** Whether to ask the backend about visitors without a cookie too (public documents). Default false. */
  readonly askAnonymous?: boolean
  readonly epochs: Epochs
}

/**
 * Checks credentials: secret, ticket, cookie, none. The first kind that is present decides; no later one can overrule
 * it.
 */
export interface Authoriser {
  /** Checks a request for a WebSocket. Never rejects because of the client's input. */
  authoriseHandshake (request: Handshake): Promise<Outcome>

  /**
   * Checks a Hocuspocus Auth message.
   * @param document the document's name in the message, without a session id
   * @param token the message's token; clients without one send an empty string
   */
  authoriseAuthMessage (request: Handshake, document: string, token: string): Promise<Verdict>

  /** Checks a ticket that renews the access to an open document, whatever credentials opened it. */
  authoriseRenewal (document: string, ticket: string): Promise<Verdict>
}

const wrongSecret: Outcome = { outcome: 'http403', rule: 'secret', reason: 'The Authorization header is not the secret.' }
const awaitAuthMessage: Outcome = { outcome: 'awaitAuthMessage' }
const repeatedTicket = invalidTicket('The request carries more than one ticket.')
const otherRoom = mayNotRead('The request names more than one room.', 'otherRoom')
const noCredentials = mayNotRead('A ticket or a session is needed to open this document.', 'noCredentials')
const noCredentialsOutcome: Outcome = { outcome: 'http403', rule: noCredentials.rule, reason: noCredentials.reason }

/** Makes an authoriser. */
export function createAuthoriser (options: AuthoriserOptions): Authoriser {
  return {
    authoriseHandshake: async (request) => await checkHandshake(options, request),
    authoriseAuthMessage: async (request, document, token) => await checkAuthMessage(options, request, document, token),
    authoriseRenewal: async (document, ticket) => await checkTicket(options, ticket, document),
  }
}

async function checkHandshake (options: AuthoriserOptions, request: Handshake): Promise<Outcome> {
  const { protocol, room, headers, query } = request
  const authorization = headerOf(headers, 'authorization')
  if (authorization !== undefined && !options.isSecret(authorization)) return wrongSecret
  if (query['room'] !== undefined && query['room'] !== room) return { outcome: 'verdict', verdict: otherRoom }
  // A socket without a room carries many documents, and the proxy's headers concern none of them.
  if (room === undefined) return protocol === 'hocuspocus' ? awaitAuthMessage : noCredentialsOutcome
  if (authorization !== undefined) {
    const access = readForwardedHeaders(headers, options.sessionCookies)
    return { outcome: 'verdict', verdict: { ...access, epoch: options.epochs.current } }
  }
  const ticket = ticketOf(query)
  if (ticket !== undefined) return { outcome: 'verdict', verdict: await checkFirstTicket(options, request, ticket, room) }
  // The Auth message can still carry a ticket, which takes precedence over the cookie.
  if (protocol === 'hocuspocus') return awaitAuthMessage
  const question = questionOf(options, request, room)
  if (question === undefined) return noCredentialsOutcome
  return { outcome: 'verdict', verdict: await checkCookie(options, question) }
}

async function checkAuthMessage (
  options: AuthoriserOptions,
  request: Handshake,
  document: string,
  token: string
): Promise<Verdict> {
  if (request.room !== undefined && request.room !== document) return otherRoom
  const ticket = token === '' ? ticketOf(request.query) : token
  if (ticket !== undefined) return await checkFirstTicket(options, request, ticket, document)
  const question = questionOf(options, request, document)
  if (question !== undefined) return await checkCookie(options, question)
  // The proxy's headers named no document, so a cookie would not help its client.
  return options.backend === undefined || request.headers['authorization'] !== undefined ? noCredentials : noCookies
}

/** The ticket in the address: one, several or none. An empty one is none. */
function ticketOf (query: Fields): string | readonly string[] | undefined {
  return query['token'] === '' ? undefined : query['token']
}

/** Checks a ticket that opens a document. The session cookie supplies the session key if the ticket has none. */
async function checkFirstTicket (
  options: AuthoriserOptions,
  request: Handshake,
  ticket: string | readonly string[],
  room: string
): Promise<Verdict> {
  const verdict = await checkTicket(options, ticket, room)
  if (!verdict.allowed) return verdict
  const sessionKey = verdict.sessionKey ?? readSessionCookie(headerOf(request.headers, 'cookie'), options.sessionCookies)
  return { ...verdict, sessionKey }
}

async function checkTicket (
  options: AuthoriserOptions,
  ticket: string | readonly string[],
  room: string
): Promise<Allowed | Denied> {
  return typeof ticket === 'string' ? await options.checkTicket(ticket, room) : repeatedTicket
}

interface CookieQuestion {
  readonly backend: Backend
  readonly question: Question
  readonly sessionKey: string | undefined
}

/** The question to Django; undefined if no backend is set or the request has no cookie. */
function questionOf (
  { backend, askAnonymous = false, sessionCookies }: AuthoriserOptions,
  { headers, address, forwardedProto }: Handshake,
  room: string
): CookieQuestion | undefined {
  const cookie = headerOf(headers, 'cookie') || undefined
  if (backend === undefined || (cookie === undefined && !askAnonymous)) return undefined
  const sessionKey = readSessionCookie(cookie, sessionCookies)
  const asker = sessionKey === undefined ? `address ${address}` : `session ${digest(sessionKey)}`
  const question = { room, asker, cookie, origin: headerOf(headers, 'origin'), forwardedProto }
  return { backend, question, sessionKey }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64')

async function checkCookie (options: AuthoriserOptions, asked: CookieQuestion, fresh = false): Promise<Verdict> {
  const verdict = await asked.backend.ask(asked.question, { fresh })
  if (!verdict.allowed) return verdict
  return { ...verdict, sessionKey: asked.sessionKey, recheck: async () => await checkCookie(options, asked, true) }
}
