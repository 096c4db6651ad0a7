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
    /** What came of judging the handshake; set by the WebSocket routes before the upgrade. */
    admission: { readonly handshake: Handshake, readonly outcome: Outcome, readonly response: ServerResponse } | null
    /** Whether there was room for one more socket; set by the WebSocket routes first of all. */
    isCounted: boolean
  }
}

/**
 * The WebSockets. `/collaboration/ws/<room>` speaks y-websocket; `/collaboration/ws/` (with `?room=` or, for many
 * documents on one socket, without) speaks Hocuspocus.
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
      ? { outcome: 'verdict', verdict: tryAgainLater(closes.tooManyConnections.reason) } as const
      : hasBadName
        ? { outcome: 'verdict', verdict: mayNotRead('The name of the room is not allowed.', 'roomName') } as const
        : await scope.authoriser.authoriseHandshake(handshake)
    if (outcome.outcome === 'http403') throw scope.refuse(request, outcome.rule, new InvalidApiKey(), outcome.reason)
    request.admission = { handshake, outcome, response: reply.raw }
  }

  /** Counts the socket while it is open, and keeps nothing of the request alive: an idle connection should cost little. */
  function admit (socket: WebSocket, request: FastifyRequest): boolean {
    const report = reporterOf(request)
    socket.removeAllListeners('error')
    socket.on('error', (error) => {
      const refused = refusalOf(error)
      if (refused !== undefined) report(refused)
      socket.terminate()
    })
    socket.on('close', countClose)
    // The response that Fastify was given for the handshake would stay with the TCP socket, and with it request, headers and logger.
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

  /** Before anybody is asked about it: questions to Django are scarcer than sockets. */
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
    if (verdict.allowed) new YWebsocketSession(socket, scope.gate, handshake.room, verdict, requesterOf(request)) // eslint-disable-line no-new -- it lives with its socket
    else refuse(socket, request, refusal(verdict))
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
      authorise: async (documentName, token) => await judgeDocument(scope.authoriser, handshake, outcome, documentName, token),
    })
  })
}

function describe (request: FastifyRequest): Handshake {
  const { '*': path = '' } = request.params as { '*'?: string } // the wildcard's parameter is a string or absent
  const query = request.query as Handshake['query'] // Fastify's parser gives strings and arrays of strings
  const { room } = query
  // Fastify takes X-Forwarded-Proto from proxies in TRUST_PROXY only; without it, it is the protocol of the service itself.
  const forwardedProto = request.protocol === 'http' ? undefined : request.protocol
  const common = { headers: request.headers, query, address: request.ip, forwardedProto }
  // Of several rooms one is as wrong as the other: the authoriser refuses them.
  return path === ''
    ? { protocol: 'hocuspocus', room: typeof room === 'object' ? room[0] : room, ...common }
    : { protocol: 'y-websocket', room: path, ...common }
}

async function judgeDocument (authoriser: Authoriser, handshake: Handshake, outcome: Outcome, documentName: string, token: string): Promise<Verdict> {
  if (outcome.outcome !== 'verdict') return await authoriser.authoriseAuthMessage(handshake, documentName, token)
  const verdict = await stillHolds(outcome.verdict)
  const hasExpired = outcome.verdict.allowed && !verdict.allowed
  // The client may have a newer ticket than the one in its address.
  return hasExpired && token !== '' ? await authoriser.authoriseAuthMessage(handshake, documentName, token) : verdict
}

/** A ticket that was good at the handshake may have expired when a document is opened on the socket again. */
async function stillHolds (verdict: Verdict): Promise<Verdict> {
  return verdict.allowed && verdict.expiresAt !== undefined && verdict.recheck !== undefined ? await verdict.recheck() : verdict
}
