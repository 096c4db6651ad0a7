import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Logs every answer. A load balancer alone sends thousands of requests a day, so a successful one is logged at `debug`.
 * Adds no decorator.
 */
export default fp(async function responseLog (app: FastifyInstance) {
  app.addHook('onResponse', async function logResponse (request, reply) {
    const { statusCode } = reply
    // An upgraded socket has log lines of its own, for each document that it opens and closes.
    if (request.ws && statusCode < 400) return
    const level = statusCode >= 500 ? 'error' : statusCode >= 400 ? 'info' : 'debug'
    request.log[level]({ req: request, statusCode, ms: Math.round(reply.elapsedTime) }, 'Answered a request')
  })
}, { name: 'response-log', fastify: '5.x' })
