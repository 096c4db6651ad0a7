import { hostname } from 'node:os'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { OpenBus } from '../bus/bus.ts'
import { LocalExchange } from '../bus/local-bus.ts'
import { redisFailure } from '../bus/redis-failure.ts'
import { Cluster } from '../cluster/cluster.ts'
import type { Answerer } from '../cluster/question.ts'
import { InvalidSettings } from '../settings/invalid-settings.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** This node among the other nodes; the only node if REDIS_URL is not set. */
    readonly cluster: Cluster
    /** Sets how this node answers the questions of other nodes. Before that it has no connections. */
    readonly answerNodes: (answerer: Answerer) => void
  }
}

const withoutConnections: Answerer = {
  reset: () => 0,
  count: () => undefined,
  sizes: (rooms) => rooms.map(() => 0),
  connections: () => ({ connections: [], isComplete: true }),
  delete: () => 0,
}

/**
 * Connects the nodes of the service. Adds `app.cluster` and `app.answerNodes`. Closes after the rooms, so that its last
 * message follows all messages of rooms.
 */
export default fp(async function cluster (app: FastifyInstance) {
  const { REDIS_URL } = app.config
  let answerer = withoutConnections
  const openBus = REDIS_URL === '' ? new LocalExchange().open : await redisBus(app)
  const cluster = new Cluster({
    openBus,
    name: `${hostname()}:${process.pid}`,
    logger: app.log,
    now: () => performance.now(),
    answerer: {
      reset: (room, userId) => answerer.reset(room, userId),
      count: (room, sessionKey) => answerer.count(room, sessionKey),
      sizes: (rooms) => answerer.sizes(rooms),
      connections: (room, after, limit) => answerer.connections(room, after, limit),
      delete: (room, upTo) => answerer.delete(room, upTo),
    },
    isShared: REDIS_URL !== '',
  })
  await cluster.open().catch((cause: unknown) => {
    throw new InvalidSettings(`REDIS_URL cannot be used: ${redisFailure(cause)}`, { cause })
  })
  app.decorate('cluster', cluster)
  app.decorate('answerNodes', function answerNodes (next) { answerer = next })
  app.addHook('onClose', () => cluster.close())
}, { name: 'cluster', dependencies: ['env', 'patience', 'store'], fastify: '5.x' })

/** Loads the Redis client only if it is used: that takes a third of a start and several MB. */
async function redisBus ({ config, log, patienceMs }: FastifyInstance): Promise<OpenBus> {
  const { openRedisBus } = await import('../bus/redis-bus.ts')
  const options = { url: config.REDIS_URL, prefix: config.REDIS_PREFIX, logger: log }
  return async (node, listener) => await openRedisBus({ ...options, patienceMs: patienceMs() }, node, listener)
}
