import type { FastifyReply } from 'fastify'
import { onAnswerEnd } from './answer-end.ts'

/** A signal that aborts if the client disconnects before it has its answer. */
export function abortOnDisconnect (reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  onAnswerEnd(reply, () => { if (!reply.raw.writableFinished) controller.abort() })
  return controller.signal
}
