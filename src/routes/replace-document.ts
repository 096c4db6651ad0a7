import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { DocumentConflict } from '../documents/document-failure.ts'
import { answerChanged, answerCreated, answerFailedWrite } from '../http/answer-written.ts'
import {
  contentOf, contentQuery, editOptionsOf, readBodiesAsBytes, refuseContentByHeaders, refuseUnconditional,
  writeHeaders, writeOf,
} from '../http/document-body.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'
import { ifMatchOf, mustCreate } from '../http/precondition.ts'

const schema = {
  summary: 'Replace the content of a document where it differs; with If-None-Match: * create it',
  params: documentParams,
  querystring: Type.Object(contentQuery),
  headers: writeHeaders,
}

const replaceDocument: FastifyPluginAsyncTypebox = async function (scope) {
  const bodyLimit = scope.config.CONVERSION_FILE_MAX_SIZE
  const onRequest = [refuseInvalidName(scope), refuseContentByHeaders(scope), refuseUnconditional(scope)]
  readBodiesAsBytes(scope)

  scope.put('/collaboration/api/documents/:room', { schema, bodyLimit, onRequest }, async (request, reply) => {
    const { params: { room }, query: { fragment, strict }, headers } = request
    const isNew = mustCreate(headers)
    const ifMatch = ifMatchOf(headers)
    const content = { ...contentOf(request), ...editOptionsOf(scope, fragment) }
    const write = writeOf(room, request, reply, strict)
    try {
      if (isNew) return answerCreated(reply, room, await scope.documentWriter.create(write, { type: 'create', ...content }))
      return answerChanged(reply, await scope.documentWriter.change({ ...write, ifMatch }, { type: 'replace', ...content }))
    } catch (error) {
      // With If-None-Match: * the condition was that it does not exist.
      const isUnmet = isNew && error instanceof DocumentConflict
      return answerFailedWrite(reply, isUnmet ? new DocumentConflict('changed', error.sequence) : error)
    }
  })
}

/** `PUT /collaboration/api/documents/<room>`. */
export default replaceDocument
