import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { RefusalRule } from '../logging/refusal-rules.ts'
import { Refusals } from '../logging/refusals.ts'
import { requesterOf, subjectOf } from '../http/requester.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts and logs every refusal. */
    readonly refusals: Refusals
    /**
     * Reports a refused request, and returns the error to throw. `reason` is for the log; default: the error's message.
     */
    readonly refuse: <T extends Error & { statusCode?: number | undefined }>(
      request: FastifyRequest,
      rule: RefusalRule,
      error: T,
      reason?: string
    ) => T
  }
}

/** Adds `app.refusals`, which reports refused WebSockets, and `app.refuse`, for requests and handshakes. */
export default fp(async function refusals (app: FastifyInstance) {
  app.decorate('refusals', new Refusals({
    allowedOrigins: app.config.COLLABORATION_SERVER_ORIGIN,
    logger: app.log,
    now: () => performance.now(),
  }))
  app.decorate('refuse', function refuse (request, rule, error, reason = error.message) {
    app.refusals.report({ rule, code: error.statusCode ?? 500, reason }, requesterOf(request), subjectOf(request))
    return error
  })
}, { name: 'refusals', dependencies: ['env'], fastify: '5.x' })
