import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { NotReady } from '../errors.ts'

const schema = {
  summary: 'Should requests come here? 503, with the names of the parts, while one is away or the service is stopping',
  response: { 200: Type.Object({ status: Type.Literal('ready') }) },
}

const health: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/health/ready', { schema, logLevel: 'silent' /* the parts report what has failed, once */ }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const failing = await scope.readiness.findFailing()
    if (failing.length > 0) throw new NotReady(failing.join(', '))
    return { status: 'ready' as const }
  })
}
export default health
