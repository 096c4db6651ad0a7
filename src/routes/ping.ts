import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'

const schema = {
  summary: 'Whether the process is alive',
  response: { 200: Type.Object({ message: Type.Literal('pong') }) },
}

const ping: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/ping', { schema }, async () => ({ message: 'pong' as const }))
}

/** `GET /ping`. */
export default ping
