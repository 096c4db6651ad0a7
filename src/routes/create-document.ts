import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { answerCreated, answerFailedWrite } from '../http/answer-written.ts'
import {
  contentOf, contentQuery, editOptionsOf, readBodiesAsBytes, refuseContentByHeaders, writeHeaders, writeOf,
} from '../http/document-body.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'

const schema = {
  summary: 'Create a document from Yjs, BlockNote JSON, markdown or HTML; 409 if it exists',
  params: documentParams,
  querystring: Type.Object(contentQuery),
  headers: writeHeaders,
}

const createDocument: FastifyPluginAsyncTypebox = async function (scope) {
  const bodyLimit = scope.config.CONVERSION_FILE_MAX_SIZE
  const onRequest = [refuseInvalidName(scope), refuseContentByHeaders(scope)]
  readBodiesAsBytes(scope)

  scope.post('/collaboration/api/documents/:room', { schema, bodyLimit, onRequest }, async (request, reply) => {
    const { params: { room }, query: { fragment, strict } } = request
    const content = contentOf(request)
    const write = writeOf(room, request, reply, strict)
    try {
      const written = await scope.documentWriter.create(write, { type: 'create', ...content, ...editOptionsOf(scope, fragment) })
      return answerCreated(reply, room, written)
    } catch (error) {
      return answerFailedWrite(reply, error)
    }
  })
}

/** `POST /collaboration/api/documents/<room>`. */
export default createDocument
