import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { UserIdMissing } from '../errors.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'
import { ignoreBody } from '../http/ignore-body.ts'
import { refuseRepeated } from '../http/refuse-repeated.ts'

const preValidation = refuseRepeated('user')

const schema = {
  summary: 'Close all connections of a document, or those of one user; their clients reconnect and are authorised again',
  params: documentParams,
  querystring: Type.Object({
    user: Type.Optional(Type.String({ description: 'User id; default: everybody', examples: ['42'] })),
  }),
  response: { 200: Type.Object({ message: Type.Literal('Connections reset') }) },
}

const resetDocumentConnections: FastifyPluginAsyncTypebox = async function (scope) {
  const onRequest = refuseInvalidName(scope)
  ignoreBody(scope)

  scope.delete('/collaboration/api/documents/:room/connections', { schema, onRequest, preValidation }, async (request) => {
    const { params: { room }, query: { user } } = request
    if (user === '') throw new UserIdMissing()
    const closed = await scope.connections.reset(room, user)
    request.log.info({ rooms: 1, closed }, 'Reset the connections of rooms')
    return { message: 'Connections reset' as const }
  })
}

/** `DELETE /collaboration/api/documents/<room>/connections`. */
export default resetDocumentConnections
