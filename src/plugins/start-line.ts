import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { causeOf } from '../logging/outage-log.ts'
import { version } from '../settings/version.ts'

/** Logs one line with the versions and the store, once the service listens. Adds no decorator. */
export default fp(async function startLine (app: FastifyInstance) {
  app.addHook('onListen', async function logStart () {
    const { DATABASE_URL, REDIS_URL, COLLABORATION_SERVER_ORIGIN } = app.config
    const documents = await app.store.count().catch((error: unknown) => {
      app.log.warn(causeOf(error), 'Failed to count the documents')
      return undefined
    })
    app.log.info({
      version,
      nodeVersion: process.version,
      node: app.cluster.name,
      store: DATABASE_URL === '' ? 'lmdb' : 'postgres',
      bus: REDIS_URL === '' ? 'local' : 'redis',
      origins: COLLABORATION_SERVER_ORIGIN,
      documents,
    }, 'Started')
  })
}, { name: 'start-line', dependencies: ['env', 'store', 'cluster'], fastify: '5.x' })
