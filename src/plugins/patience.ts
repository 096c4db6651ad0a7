import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** How long the next part of the start can wait for a server or module that may never answer, in ms. */
    readonly patienceMs: () => number
  }
}

/** ms; a failed start must exit within 10 s, and loading the program takes up to 2 s on a busy machine. */
const startBudgetMs = 8000

/** ms that each part gets in any case: enough for an answer from a nearby server. */
const leastMs = 500

/** Divides the time of a start between its parts, which begin one after the other: `patienceMs`. */
export default fp(async function patience (app: FastifyInstance) {
  const startedAt = performance.now()
  app.decorate('patienceMs', () => Math.max(leastMs, startBudgetMs - (performance.now() - startedAt)))
}, { name: 'patience', fastify: '5.x' })
