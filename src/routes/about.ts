import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'

const schema = {
  summary: 'The name of the service, as one line of text',
  response: { 200: Type.String() },
}

/** Without the version, which clients without the secret do not need. */
const line = 'y-provider: collaborative editing of Yjs documents over WebSocket\n'

const about: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/', { schema, logLevel: 'warn' }, async (_request, reply) => reply.type('text/plain; charset=utf-8').send(line))
}

/** `GET /`. */
export default about
