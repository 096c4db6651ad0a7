import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { NotReady } from '../errors.ts'

const schema = {
  summary: 'Should requests come here? 503 while a part is away or the service is stopping',
  response: { 200: Type.Object({ status: Type.Literal('ready') }) },
}

const health: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/health/ready', { schema, logLevel: 'warn' }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    if (!await scope.readiness.isReady()) throw new NotReady()
    return { status: 'ready' as const }
  })
}
export default health
