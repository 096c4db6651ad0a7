import fastifyWebsocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import { encodeAuthenticated } from '../protocol/encode-message.ts'
import { ConnectionLimits } from '../sessions/connection-limits.ts'
import type { Gate } from '../sessions/gate.ts'
import { Rechecks } from '../sessions/rechecks.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the WebSocket routes hand to each session. */
    readonly gate: Gate
  }
}

/** A client that has not answered the close frame within this many ms when the service stops is cut off. */
const stopPatienceMs = 2000

/** WebSockets over Fastify, and the end of all of them when the service stops. */
export default fp(async function websocket (app: FastifyInstance) {
  const { config, rooms } = app
  const now = (): number => performance.now()
  const limits = new ConnectionLimits({ total: config.MAX_CONNECTIONS, perUser: config.MAX_CONNECTIONS_PER_USER, perAddress: config.MAX_CONNECTIONS_PER_ADDRESS })
  const rechecks = new Rechecks({
    everyMs: config.RECHECK_INTERVAL_MS,
    logger: app.log,
    now,
    onRights: (connection, formerUserId) => {
      limits.moveAs(formerUserId, connection.userId)
      if (connection.speaksHocuspocus) connection.send([encodeAuthenticated(connection.canEdit)])
    },
  })
  app.decorate('gate', {
    rooms,
    rechecks,
    limits,
    rates: { messagesPerSecond: config.MAX_MESSAGES_PER_SECOND, bytesPerSecond: config.MAX_BYTES_PER_SECOND, burstSeconds: config.RATE_BURST_SECONDS },
    maxConnectionsPerRoom: config.MAX_CONNECTIONS_PER_ROOM,
    authTimeoutMs: config.AUTH_TIMEOUT_MS,
    now,
  })
  await app.register(fastifyWebsocket, {
    options: { maxPayload: config.MAX_FRAME_BYTES, perMessageDeflate: false, clientTracking: true },
    errorHandler: function closeBroken (_error, socket) { socket.terminate() },
    // The plugin's own returns before the sockets have closed, and says neither why nor that clients should come back.
    preClose: async function sendEverybodyAway () {
      rechecks.stop()
      await rooms.close()
      await allClosed(app.websocketServer.clients)
    },
  })
}, { name: 'websocket', dependencies: ['env', 'rooms'], fastify: '5.x' })

async function allClosed (clients: ReadonlySet<WebSocket>): Promise<void> {
  if (clients.size === 0) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      for (const client of clients) client.terminate()
      resolve()
    }, stopPatienceMs)
    for (const client of clients) {
      client.once('close', () => {
        if (clients.size > 0) return
        clearTimeout(timer)
        resolve()
      })
    }
  })
}
