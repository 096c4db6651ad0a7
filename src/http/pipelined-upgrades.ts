import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'

/**
 * Emits the upgrades of a server, except those requested after a request that is still unanswered on the same
 * connection. No client does that. @fastify/websocket (11) would log a stack trace and leave the socket open and
 * unread: it would outlive its client, and a stop would wait for it. Instead, such a connection ends with the answer.
 */
export function refusePipelinedUpgrades (server: Server, logger: Logger): EventEmitter {
  const upgrades = new EventEmitter()
  const repetitions = new Repetitions(() => performance.now())
  /** Unanswered requests of a connection. */
  const unanswered = new WeakMap<Duplex, number>()
  const ending = new WeakSet<Duplex>()
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    unanswered.set(socket, (unanswered.get(socket) ?? 0) + 1)
    response.once('finish', () => {
      const left = (unanswered.get(socket) ?? 0) - 1
      unanswered.set(socket, left)
      if (left === 0 && ending.has(socket)) socket.end(() => { socket.destroy() })
    })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if ((unanswered.get(socket) ?? 0) === 0) {
      // Nothing listens any more while the service stops.
      if (!upgrades.emit('upgrade', request, socket, head)) socket.destroy()
      return
    }
    ending.add(socket)
    // Node has removed its own listener.
    socket.on('error', () => { socket.destroy() })
    const news = repetitions.next('pipelined')
    if (news !== undefined) logger.warn({ remoteAddress: request.socket.remoteAddress, ...news }, 'Refused a WebSocket handshake that followed an unanswered request')
  })
  return upgrades
}
