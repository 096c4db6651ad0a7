import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'

const schema = {
  summary: 'What listens here? One line of text',
  response: { 200: Type.String() },
}

/** No version: nobody without the secret needs it. */
const line = 'y-provider: collaborative editing of Yjs documents over WebSocket\n'

const about: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/', { schema, logLevel: 'warn' }, async (_request, reply) => reply.type('text/plain; charset=utf-8').send(line))
}
export default about
