import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { DocumentChanged, DocumentDeleted, DocumentNotFound } from '../errors.ts'
import { refuseByConditions } from '../http/document-body.ts'
import { documentError } from '../http/document-error.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'
import { sequenceTagOf } from '../http/entity-tag.ts'
import { ignoreBody } from '../http/ignore-body.ts'
import { ifMatchOf } from '../http/precondition.ts'

const schema = {
  summary: 'Delete a document permanently, and close its connections on every node with 4404',
  params: documentParams,
  headers: Type.Object({
    'if-match': Type.Optional(Type.String({ description: 'Entity tags: deletes the document only at one of these sequences' })),
    'x-user-id': Type.Optional(Type.String({ description: 'The user who deletes it, for the log' })),
  }),
  response: { 204: Type.Null({ description: 'The document is deleted' }) },
}

const deleteDocument: FastifyPluginAsyncTypebox = async function (scope) {
  const onRequest = [refuseInvalidName(scope), refuseByConditions(scope)]
  ignoreBody(scope)

  scope.delete('/collaboration/api/documents/:room', { schema, onRequest }, async ({ params, headers }, reply) => {
    const { room } = params
    const ifMatch = ifMatchOf(headers)
    const userId = headers['x-user-id'] || undefined
    const erasure = await scope.deletion.delete(room, { ifMatch, userId })
      .catch((error: unknown) => { throw documentError(error) })
    switch (erasure.outcome) {
      case 'erased':
        return await reply.code(204).send(null)
      case 'changed':
        reply.header('etag', sequenceTagOf(erasure.sequence))
        throw new DocumentChanged()
      case 'deleted':
        throw new DocumentDeleted()
      case 'absent':
        throw new DocumentNotFound()
    }
  })
}

/** `DELETE /collaboration/api/documents/<room>`. */
export default deleteDocument
