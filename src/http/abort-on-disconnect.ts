import type { FastifyReply } from 'fastify'

/** A signal that aborts if the client disconnects before it has its answer. */
export function abortOnDisconnect (reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => { if (!reply.raw.writableFinished) controller.abort() })
  return controller.signal
}
