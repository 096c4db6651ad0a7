import { hostname } from 'node:os'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { OpenBus } from '../bus/bus.ts'
import { LocalExchange } from '../bus/local-bus.ts'
import { redisFailure } from '../bus/redis-failure.ts'
import { Cluster } from '../cluster/cluster.ts'
import type { Question } from '../cluster/questions.ts'
import { InvalidSettings } from '../settings/invalid-settings.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** This node among the others; alone where no REDIS_URL is set. */
    readonly cluster: Cluster
    /** Sets what this node answers to the questions of others. Until then it has no connections to tell of. */
    readonly answerNodes: (answer: (question: Question) => unknown) => void
  }
}

/** Connects the nodes of the service. Closes after the rooms, so that its goodbye comes behind all that they say. */
export default fp(async function cluster (app: FastifyInstance) {
  const { REDIS_URL } = app.config
  let answer: (question: Question) => unknown = () => null
  const openBus = REDIS_URL === '' ? new LocalExchange().open : await redisBus(app)
  const cluster = new Cluster({
    openBus,
    name: `${hostname()}:${process.pid}`,
    logger: app.log,
    now: () => performance.now(),
    answer: (question) => answer(question),
    isShared: REDIS_URL !== '',
  })
  await cluster.open().catch((cause: unknown) => { throw new InvalidSettings(`REDIS_URL cannot be used: ${redisFailure(cause)}`, { cause }) })
  app.decorate('cluster', cluster)
  app.decorate('answerNodes', function answerNodes (next) { answer = next })
  app.addHook('onClose', () => cluster.close())
}, { name: 'cluster', dependencies: ['env', 'patience', 'store'], fastify: '5.x' })

/** Loads the client only if it is used: that takes a third of a start and several MB. */
async function redisBus ({ config, log, patienceMs }: FastifyInstance): Promise<OpenBus> {
  const { openRedisBus } = await import('../bus/redis-bus.ts')
  const options = { url: config.REDIS_URL, prefix: config.REDIS_PREFIX, logger: log }
  return async (node, listener) => await openRedisBus({ ...options, patienceMs: patienceMs() }, node, listener)
}
