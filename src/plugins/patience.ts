import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyInstance {
    /** How long a part of the start may wait now, in ms, for what may never answer. */
    readonly patienceMs: () => number
  }
}

/** A start that fails must say so within 10 s; loading the program takes up to two of them on a busy machine. PostgreSQL may take all of this. */
const startBudgetMs = 8000

/** What a part gets in any case: enough for an answer from nearby. */
const leastMs = 500

/** Shares the time that a start has between its parts, which begin one after the other. */
export default fp(async function patience (app: FastifyInstance) {
  const startedAt = performance.now()
  app.decorate('patienceMs', () => Math.max(leastMs, startBudgetMs - (performance.now() - startedAt)))
}, { name: 'patience', fastify: '5.x' })
