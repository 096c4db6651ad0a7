import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import type { Authoriser, Handshake, Outcome } from '../access/authorise.ts'
import { mayNotRead, tryAgainLater, type Verdict } from '../access/verdict.ts'
import { InvalidApiKey, NotFound } from '../errors.ts'
import { closes, type CloseReason } from '../protocol/close-codes.ts'
import type { Refusal } from '../logging/refusals.ts'
import { requesterOf, subjectOf } from '../http/requester.ts'
import { refusalOf } from '../sessions/broken-frame.ts'
import { refusal } from '../sessions/gate.ts'
import { HocuspocusSession } from '../sessions/hocuspocus-session.ts'
import { WsSocket } from '../sessions/web-socket.ts'
import { refuseYWebsocket, YWebsocketSession } from '../sessions/y-websocket-session.ts'
import { roomNamePattern } from '../settings/derived.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The outcome of judging the handshake; set by the WebSocket routes before the upgrade. */
    admission: { readonly handshake: Handshake, readonly outcome: Outcome, readonly response: ServerResponse } | null
    /** Whether there was room for one more socket; set by the WebSocket routes first of all. */
    isCounted: boolean
  }
}

/**
 * The WebSockets: `/collaboration/ws/<room>` for y-websocket, `/collaboration/ws/` for Hocuspocus (with `?room=` or,
 * for many documents on one socket, without).
 */
export default async function collaborationWs (scope: FastifyInstance): Promise<void> {
  const pattern = roomNamePattern(scope.config)
  const isRoomName = (name: string): boolean => pattern.test(name)

  scope.decorateRequest('admission', null)
  scope.decorateRequest('isCounted', false)

  async function judge (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (!request.ws) throw new NotFound()
    countSocket(request)
    const handshake = describe(request)
    const hasBadName = handshake.room !== undefined && !isRoomName(handshake.room)
    const outcome = !request.isCounted
      ? asOutcome(tryAgainLater(closes.tooManyConnections.reason))
      : hasBadName
        ? asOutcome(mayNotRead('The name of the room is not allowed.', 'roomName'))
        : await scope.authoriser.authoriseHandshake(handshake)
    if (outcome.outcome === 'http403') throw scope.refuse(request, outcome.rule, new InvalidApiKey(), outcome.reason)
    request.admission = { handshake, outcome, response: reply.raw }
  }

  /** Counts the socket while it is open. Keeps nothing of the request alive: an idle connection must cost little. */
  function admit (socket: WebSocket, request: FastifyRequest): boolean {
    const report = reporterOf(request)
    socket.removeAllListeners('error')
    socket.on('error', (error) => {
      const refused = refusalOf(error)
      if (refused !== undefined) report(refused)
      socket.terminate()
    })
    socket.on('close', countClose)
    // The TCP socket would keep the response to the handshake, and with it request, headers and logger.
    request.admission?.response.detachSocket(request.raw.socket)
    if (request.isCounted) return true
    refuse(socket, request, closes.tooManyConnections)
    return false
  }

  /** Keeps no part of the request alive either. */
  function reporterOf (request: FastifyRequest): (refusal: Refusal) => void {
    const [requester, subject] = [requesterOf(request), subjectOf(request)]
    return (refusal) => { scope.refusals.report(refusal, requester, subject) }
  }

  function refuse (socket: WebSocket, request: FastifyRequest, reason: CloseReason): void {
    const report = reporterOf(request)
    report(reason)
    refuseYWebsocket(new WsSocket(socket, scope.gate, report), reason)
  }

  function countClose (code: number): void { scope.gate.figures.closed(code) }

  /** Counted before the client is authorised: calls to Django are scarcer than sockets. */
  function countSocket (request: FastifyRequest): void {
    const { limits } = scope.gate
    const { ip, raw: { socket } } = request
    request.isCounted = limits.enter(ip)
    if (request.isCounted) socket.once('close', () => { limits.leave(ip) })
  }

  scope.get('/collaboration/ws/*', { websocket: true, preHandler: judge }, (socket, request) => {
    const { handshake, outcome } = request.admission ?? {}
    if (!admit(socket, request) || handshake?.room === undefined || outcome?.outcome !== 'verdict') return
    const { verdict } = outcome
    if (!verdict.allowed) return refuse(socket, request, refusal(verdict))
    // eslint-disable-next-line no-new -- it lives with its socket
    new YWebsocketSession(socket, scope.gate, handshake.room, verdict, requesterOf(request))
  })

  scope.get('/collaboration/ws', { websocket: true, preHandler: judge }, (socket, request) => {
    const { handshake, outcome } = request.admission ?? {}
    if (!admit(socket, request) || handshake === undefined || outcome === undefined) return
    // eslint-disable-next-line no-new -- it lives with its socket
    new HocuspocusSession(socket, {
      gate: scope.gate,
      requester: requesterOf(request),
      room: handshake.room,
      userId: outcome.outcome === 'verdict' && outcome.verdict.allowed ? outcome.verdict.userId : undefined,
      isRoomName,
      authorise: async (documentName, token) =>
        await judgeDocument(scope.authoriser, handshake, outcome, documentName, token),
    })
  })
}

const asOutcome = (verdict: Verdict): Outcome => ({ outcome: 'verdict', verdict })

function describe (request: FastifyRequest): Handshake {
  const { '*': path = '' } = request.params as { '*'?: string } // the wildcard's parameter is a string or absent
  const query = request.query as Handshake['query'] // Fastify's parser gives strings and arrays of strings
  const { room } = query
  // Fastify reads X-Forwarded-Proto of proxies in TRUST_PROXY only; without it, this is the service's own protocol.
  const forwardedProto = request.protocol === 'http' ? undefined : request.protocol
  const common = { headers: request.headers, query, address: request.ip, forwardedProto }
  // The authoriser refuses a handshake with several rooms, so any of them will do.
  return path === ''
    ? { protocol: 'hocuspocus', room: typeof room === 'object' ? room[0] : room, ...common }
    : { protocol: 'y-websocket', room: path, ...common }
}

async function judgeDocument (
  authoriser: Authoriser,
  handshake: Handshake,
  outcome: Outcome,
  documentName: string,
  token: string
): Promise<Verdict> {
  if (outcome.outcome !== 'verdict') return await authoriser.authoriseAuthMessage(handshake, documentName, token)
  const verdict = await stillHolds(outcome.verdict)
  const hasExpired = outcome.verdict.allowed && !verdict.allowed
  // The client may have a newer ticket than the one in its address.
  return hasExpired && token !== '' ? await authoriser.authoriseAuthMessage(handshake, documentName, token) : verdict
}

/** A ticket that was valid at the handshake can have expired when another document is opened on the socket. */
async function stillHolds (verdict: Verdict): Promise<Verdict> {
  if (!verdict.allowed || verdict.expiresAt === undefined || verdict.recheck === undefined) return verdict
  return await verdict.recheck()
}
