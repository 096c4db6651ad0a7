import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { RoomNameInvalid } from '../errors.ts'
import { answerCreated, answerFailedWrite } from '../http/answer-written.ts'
import { writeOf } from '../http/document-body.ts'
import { documentParams, refuseInvalidName, switchValues } from '../http/document-parameters.ts'
import { roomNamePattern } from '../settings/derived.ts'

const schema = {
  summary: 'Create a document with the content of another; 409 if it exists',
  params: documentParams,
  querystring: Type.Object({
    comments: Type.Optional(Type.Enum(switchValues, {
      description: '0 or false: without the marks that comments put on text',
    })),
  }),
  headers: Type.Object({
    'x-user-id': Type.Optional(Type.String({ description: 'Id of the user who made the copy' })),
  }),
  body: Type.Object({ to: Type.String({ description: 'Name of the new document' }) }),
}

const copyDocument: FastifyPluginAsyncTypebox = async function (scope) {
  const pattern = roomNamePattern(scope.config)
  const onRequest = refuseInvalidName(scope)

  scope.post('/collaboration/api/documents/:room/copy', { schema, onRequest }, async (request, reply) => {
    const { params: { room }, query: { comments }, body: { to } } = request
    if (!pattern.test(to)) throw new RoomNameInvalid()
    const withoutComments = comments === '0' || comments === 'false'
    try {
      const written = await scope.documentWriter.copy(writeOf(to, request, reply), room, { withoutComments })
      return answerCreated(reply, to, written)
    } catch (error) {
      return answerFailedWrite(reply, error)
    }
  })
}

/** `POST /collaboration/api/documents/<room>/copy`. */
export default copyDocument
