import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'

/** What waits for the end of answers on each connection; one listener serves all of them. */
const waitingOn = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls back once: when the answer was sent, or when it cannot be sent any more. Node emits no `close` for the answer
 * to a pipelined request whose connection ends while an earlier answer is being sent.
 */
export function onAnswerEnd ({ raw, request }: FastifyReply, ended: () => void): void {
  const { socket } = request.raw
  if (socket.destroyed) return ended()
  const waiting = waitingOn.get(socket) ?? watch(socket)
  function end (): void {
    raw.off('close', end)
    waiting.delete(end)
    ended()
  }
  waiting.add(end)
  raw.once('close', end)
}

function watch (socket: Socket): Set<() => void> {
  const waiting = new Set<() => void>()
  waitingOn.set(socket, waiting)
  socket.once('close', () => { for (const end of [...waiting]) end() })
  return waiting
}
