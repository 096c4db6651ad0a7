import type { Server } from 'node:http'
import fastifyWebsocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import { closes, reasonFor } from '../protocol/close-codes.ts'
import { ConnectionLimits } from '../sessions/connection-limits.ts'
import type { Gate } from '../sessions/gate.ts'
import { InboundBudget } from '../sessions/inbound-budget.ts'
import { maxBytesBeforeAdmission } from '../sessions/inbound.ts'
import { Rechecks } from '../sessions/rechecks.ts'
import { RoomSockets } from '../sessions/room-sockets.ts'
import { SocketFigures } from '../sessions/socket-figures.ts'
import { refusePipelinedUpgrades } from '../http/pipelined-upgrades.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the WebSocket routes hand to each session. */
    readonly gate: Gate
  }
}

/**
 * ms from one close to the next when the service stops, since every client reconnects and opens its documents at once.
 */
const msBetweenCloses = 1
/** ms within which clients that read the hint in the close reason retry, or a ms for each of them if that is more. */
const leastRetryMs = 1000

/**
 * ms that a Hocuspocus socket can carry no document, or only refused ones: twice the time after which stock providers
 * reconnect by themselves if they hear nothing.
 */
const emptyTimeoutMs = 60_000

/**
 * Fragments of one message, each in a buffer of its own: 2 KiB at the default MAX_FRAME_BYTES; clients send 4 to 64.
 */
const maxFragments = 16 * 1024
/**
 * Largest messages for which MAX_UNFINISHED_BYTES suffices, at least: a message in small reads takes twice its size.
 */
const leastMessagesHeld = 2

/** WebSockets over Fastify, and their end when the service stops. Adds `app.gate`. */
export default fp(async function websocket (app: FastifyInstance) {
  const { authoriser, config, epochs, refusals, rooms } = app
  const now = (): number => performance.now()
  const limits = new ConnectionLimits({
    total: config.MAX_CONNECTIONS,
    perUser: config.MAX_CONNECTIONS_PER_USER,
    perAddress: config.MAX_CONNECTIONS_PER_ADDRESS,
    refusedPerAddress: config.MAX_REFUSED_PER_ADDRESS,
  })
  const rechecks = new Rechecks({
    everyMs: config.RECHECK_INTERVAL_MS,
    epochs,
    logger: app.log,
    now,
    onRights: (connection, formerUserId) => {
      limits.moveAs(formerUserId, connection.userId)
      const message = connection.protocol.accessChanged(connection.canEdit)
      if (message !== undefined) connection.send([message])
    },
  })
  const inbound = new InboundBudget({
    maxBytes: Math.max(config.MAX_UNFINISHED_BYTES, leastMessagesHeld * config.MAX_FRAME_BYTES),
    logger: app.log,
    now,
  })
  app.decorate('gate', {
    rooms,
    rechecks,
    epochs,
    authoriseRenewal: async (room, ticket) => await authoriser.authoriseRenewal(room, ticket),
    roomSockets: new RoomSockets(),
    figures: new SocketFigures(),
    node: app.cluster.name,
    limits,
    inbound,
    maxMessageBytes: config.MAX_FRAME_BYTES,
    maxBufferedBytes: config.MAX_SOCKET_BUFFER_BYTES,
    rates: {
      messagesPerSecond: config.MAX_MESSAGES_PER_SECOND,
      bytesPerSecond: config.MAX_BYTES_PER_SECOND,
      burstSeconds: config.RATE_BURST_SECONDS,
    },
    logger: app.log,
    maxConnectionsPerRoom: config.MAX_CONNECTIONS_PER_ROOM,
    authTimeoutMs: config.AUTH_TIMEOUT_MS,
    emptyTimeoutMs,
    refusals,
    now,
  })
  await app.register(fastifyWebsocket, {
    options: {
      // The plugin only listens to its upgrades.
      server: refusePipelinedUpgrades(app.server, app.log) as Server,
      // Raised when a client is admitted.
      maxPayload: Math.min(maxBytesBeforeAdmission, config.MAX_FRAME_BYTES),
      maxFragments,
      perMessageDeflate: false,
      clientTracking: true,
      autoPong: false,
    },
    errorHandler: function closeBroken (error, socket, request) {
      request.log.error({ err: error }, 'Failed to serve a WebSocket')
      socket.terminate()
    },
    // The plugin's own returns before the sockets have closed, and gives clients neither a reason nor a hint to retry.
    preClose: async function closeAllSockets () {
      rechecks.stop()
      inbound.stop()
      const { clients } = app.websocketServer
      const { patienceMs, spreadMs, goodbyeMs, requestsMs } = shares(config.SHUTDOWN_TIMEOUT_MS)
      const retryWithinMs = Math.max(leastRetryMs, clients.size)
      const spread = Math.min(clients.size * msBetweenCloses, spreadMs)
      await rooms.close({ ...closes.restart, retryWithinMs }, patienceMs, spread)
      // Clients that have not opened a document are in no room.
      for (const client of clients) client.close(closes.restart.code, reasonFor({ ...closes.restart, retryWithinMs }))
      await allClosed(clients, goodbyeMs)
      // The server would wait for requests that do not end.
      setTimeout(() => { app.server.closeAllConnections() }, requestsMs).unref()
    },
  })
}, { name: 'websocket', dependencies: ['env', 'refusals', 'cluster', 'rooms', 'access'], fastify: '5.x' })

/**
 * ms that each part of the stop can take, so that all of it fits: waiting for a store that does not answer, spreading
 * the closes, waiting for the clients' close frames, and for requests. The rest is left for closing the store.
 */
function shares (totalMs: number): { patienceMs: number, spreadMs: number, goodbyeMs: number, requestsMs: number } {
  return {
    patienceMs: Math.min(3000, 0.3 * totalMs),
    spreadMs: 0.4 * totalMs,
    goodbyeMs: Math.min(2000, 0.2 * totalMs),
    requestsMs: 0.05 * totalMs,
  }
}

/** @param goodbyeMs after which clients that have not answered the close frame are cut off */
async function allClosed (clients: ReadonlySet<WebSocket>, goodbyeMs: number): Promise<void> {
  if (clients.size === 0) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      for (const client of clients) client.terminate()
      resolve()
    }, goodbyeMs)
    for (const client of clients) {
      client.once('close', () => {
        if (clients.size > 0) return
        clearTimeout(timer)
        resolve()
      })
    }
  })
}
