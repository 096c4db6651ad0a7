import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** ms that the next part of the start can wait for a server or module. */
    readonly patienceMs: () => number
  }
}

/** Ms; a failed start must exit within 10 s, and loading the program takes up to 2 s on a busy machine. */
const startBudgetMs = 8000

/** ms that each part gets in any case: enough for an answer from a nearby server. */
const leastMs = 500

/** Adds `app.patienceMs`, which divides the time of a start between its parts, one after the other. */
export default fp(async function patience (app: FastifyInstance) {
  const startedAt = performance.now()
  app.decorate('patienceMs', () => Math.max(leastMs, startBudgetMs - (performance.now() - startedAt)))
}, { name: 'patience', fastify: '5.x' })
