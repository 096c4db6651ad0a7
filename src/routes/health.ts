import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { NotReady } from '../errors.ts'

const schema = {
  summary: 'Whether the service can take requests: 503 with the failing parts while one is unavailable or the service is stopping',
  response: { 200: Type.Object({ status: Type.Literal('ready') }) },
}

const health: FastifyPluginAsyncTypebox = async function (scope) {
  // Silent, because the readiness plugin logs each failure once.
  scope.get('/health/ready', { schema, logLevel: 'silent' }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const failing = await scope.readiness.findFailing()
    if (failing.length > 0) throw new NotReady(failing.join(', '))
    return { status: 'ready' as const }
  })
}

/** `GET /health/ready`. */
export default health
