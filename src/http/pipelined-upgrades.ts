import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../logging/logger.ts'
import { Repetitions } from '../logging/repetitions.ts'

/**
 * The upgrades of a server, but for those requested behind a request that is still being answered on the same connection. No client does
 * that, and @fastify/websocket (11) logs a stack trace and leaves the socket open, unread: it would outlive its client, and a stop would
 * wait for it. Such a connection ends with the answer instead.
 */
export function refusePipelinedUpgrades (server: Server, logger: Logger): EventEmitter {
  const upgrades = new EventEmitter()
  const repetitions = new Repetitions(() => performance.now())
  /** Requests on a connection that are not answered yet */
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
      // Nobody listens any more once the service stops.
      if (!upgrades.emit('upgrade', request, socket, head)) socket.destroy()
      return
    }
    ending.add(socket)
    // Node has taken its own listener away.
    socket.on('error', () => { socket.destroy() })
    const news = repetitions.next('pipelined')
    if (news !== undefined) logger.warn({ remoteAddress: request.socket.remoteAddress, ...news }, 'Refused a WebSocket handshake that was sent behind an unanswered request')
  })
  return upgrades
}
