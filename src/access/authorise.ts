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

/** A request for a WebSocket, as far as it matters for who may connect. Its origin has been checked before. */
export interface Handshake {
  readonly protocol: 'y-websocket' | 'hocuspocus'
  /** The room that the address names (y-websocket: its path; Hocuspocus: `?room=`), percent-decoded once. */
  readonly room?: string | undefined
  readonly headers: Fields
  readonly query: Fields
  /** The client's address, or the one that trusted proxies report */
  readonly address: string
  /** How the browser reached the proxy, as a proxy that is trusted says: `https`. undefined: nobody trusted says so. */
  readonly forwardedProto?: string | undefined
}

/** What to do with a handshake. */
export type Outcome =
  /** Answer 403 instead of upgrading. */
  | { readonly outcome: 'http403', readonly rule: RefusalRule, readonly reason: string }
  /** Upgrade; then let in, or refuse with the protocol's own message and the verdict's code. */
  | { readonly outcome: 'verdict', readonly verdict: Verdict }
  /** Upgrade a Hocuspocus socket that may send nothing but Auth messages, each of which `authoriseAuthMessage` judges. */
  | { readonly outcome: 'awaitAuthMessage' }

export interface AuthoriserOptions {
  /** Whether an `Authorization` header is one of the service's own secrets; see `createSecretCheck`. */
  readonly isSecret: (authorization: string | undefined) => boolean
  readonly checkTicket: TicketCheck
  /** undefined: cookies let nobody in. */
  readonly backend?: Backend | undefined
  /** Names of session cookies; the first one present is the session key. */
  readonly sessionCookies: readonly string[]
  /** Asks the backend for visitors without any cookie too (public documents). Default false. */
  readonly askAnonymous?: boolean
  readonly epochs: Epochs
}

/** The four ways in; the first that matches decides, and no later one rescues what an earlier one refused. */
export interface Authoriser {
  /** Judges a request for a WebSocket. Never rejects on what a client sent. */
  authoriseHandshake (request: Handshake): Promise<Outcome>

  /**
   * Judges a Hocuspocus Auth message on a socket that awaits one.
   * @param document the document's name in the message, without a session id
   * @param token the message's token; clients without one send an empty string
   */
  authoriseAuthMessage (request: Handshake, document: string, token: string): Promise<Verdict>

  /** Judges a ticket that renews the access of an open document, whatever credentials opened it. */
  authoriseRenewal (document: string, ticket: string): Promise<Verdict>
}

const WRONG_SECRET: Outcome = { outcome: 'http403', rule: 'secret', reason: 'The Authorization header is not the secret.' }
const AWAIT_AUTH_MESSAGE: Outcome = { outcome: 'awaitAuthMessage' }
const REPEATED_TICKET = invalidTicket('The request carries more than one ticket.')
const OTHER_ROOM = mayNotRead('The request names more than one room.', 'otherRoom')
const NO_CREDENTIALS = mayNotRead('A ticket or a session is needed to open this document.', 'noCredentials')
const NOTHING_SHOWN: Outcome = { outcome: 'http403', rule: NO_CREDENTIALS.rule, reason: NO_CREDENTIALS.reason }

export function createAuthoriser (options: AuthoriserOptions): Authoriser {
  return {
    authoriseHandshake: async (request) => await judgeHandshake(options, request),
    authoriseAuthMessage: async (request, document, token) => await judgeAuthMessage(options, request, document, token),
    authoriseRenewal: async (document, ticket) => await judgeTicket(options, ticket, document),
  }
}

async function judgeHandshake (options: AuthoriserOptions, request: Handshake): Promise<Outcome> {
  const { protocol, room, headers, query } = request
  const authorization = headerOf(headers, 'authorization')
  if (authorization !== undefined && !options.isSecret(authorization)) return WRONG_SECRET
  if (query['room'] !== undefined && query['room'] !== room) return { outcome: 'verdict', verdict: OTHER_ROOM }
  // A socket without a room carries many documents: the proxy's word was about none of them.
  if (room === undefined) return protocol === 'hocuspocus' ? AWAIT_AUTH_MESSAGE : NOTHING_SHOWN
  if (authorization !== undefined) {
    return { outcome: 'verdict', verdict: { ...readForwardedHeaders(headers, options.sessionCookies), epoch: options.epochs.current } }
  }
  const ticket = ticketOf(query)
  if (ticket !== undefined) return { outcome: 'verdict', verdict: await judgeFirstTicket(options, request, ticket, room) }
  // The Auth message may still bring a ticket, and a ticket comes before the cookie.
  if (protocol === 'hocuspocus') return AWAIT_AUTH_MESSAGE
  const question = questionOf(options, request, room)
  if (question === undefined) return NOTHING_SHOWN
  return { outcome: 'verdict', verdict: await judgeCookie(options, question) }
}

async function judgeAuthMessage (options: AuthoriserOptions, request: Handshake, document: string, token: string): Promise<Verdict> {
  if (request.room !== undefined && request.room !== document) return OTHER_ROOM
  const ticket = token === '' ? ticketOf(request.query) : token
  if (ticket !== undefined) return await judgeFirstTicket(options, request, ticket, document)
  const question = questionOf(options, request, document)
  if (question !== undefined) return await judgeCookie(options, question)
  // The proxy's header named no document: a cookie would not help its client.
  return options.backend === undefined || request.headers['authorization'] !== undefined ? NO_CREDENTIALS : noCookies
}

/** The ticket in the address: one, several, or (also where it is empty) none. */
function ticketOf (query: Fields): string | readonly string[] | undefined {
  return query['token'] === '' ? undefined : query['token']
}

/** The session cookie gives the session key where the ticket has none. */
async function judgeFirstTicket (options: AuthoriserOptions, request: Handshake, ticket: string | readonly string[], room: string): Promise<Verdict> {
  const verdict = await judgeTicket(options, ticket, room)
  if (!verdict.allowed) return verdict
  const sessionKey = verdict.sessionKey ?? readSessionCookie(headerOf(request.headers, 'cookie'), options.sessionCookies)
  return { ...verdict, sessionKey }
}

async function judgeTicket (options: AuthoriserOptions, ticket: string | readonly string[], room: string): Promise<Allowed | Denied> {
  return typeof ticket === 'string' ? await options.checkTicket(ticket, room) : REPEATED_TICKET
}

interface CookieQuestion {
  readonly backend: Backend
  readonly question: Question
  readonly sessionKey: string | undefined
}

/** What to ask Django, or undefined where there is nobody or nothing to ask. */
function questionOf ({ backend, askAnonymous = false, sessionCookies }: AuthoriserOptions, { headers, address, forwardedProto }: Handshake, room: string): CookieQuestion | undefined {
  const cookie = headerOf(headers, 'cookie') || undefined
  if (backend === undefined || (cookie === undefined && !askAnonymous)) return undefined
  const sessionKey = readSessionCookie(cookie, sessionCookies)
  const asker = sessionKey === undefined ? `address ${address}` : `session ${digest(sessionKey)}`
  return { backend, question: { room, asker, cookie, origin: headerOf(headers, 'origin'), forwardedProto }, sessionKey }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64')

async function judgeCookie (options: AuthoriserOptions, asked: CookieQuestion, fresh = false): Promise<Verdict> {
  const verdict = await asked.backend.ask(asked.question, { fresh })
  if (!verdict.allowed) return verdict
  return { ...verdict, sessionKey: asked.sessionKey, recheck: async () => await judgeCookie(options, asked, true) }
}
