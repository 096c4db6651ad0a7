import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Ends the connection of who asks for a WebSocket behind a request that is still being answered on it, after that answer. No client does
 * that, and @fastify/websocket (11) gives it up and leaves the socket open, unread: it would outlive its client, and a stop would wait for it.
 */
export function endPipelinedUpgrades (server: Server): void {
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
  server.prependListener('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    if ((unanswered.get(socket) ?? 0) > 0) ending.add(socket)
  })
}
