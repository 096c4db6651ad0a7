import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Change } from '../documents/document-writer.ts'
import type { EditOptions } from '../documents/edit/edit-request.ts'
import { PositionInvalid } from '../errors.ts'
import { answerChanged, answerFailedWrite } from '../http/answer-written.ts'
import {
  contentOf, contentQuery, editOptionsOf, readBodiesAsBytes, refuseContentByHeaders, refuseByConditions,
  writeHeaders, writeOf, type Content,
} from '../http/document-body.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'
import { insertPositionOf, type PositionQuery } from '../http/insert-position.ts'
import { ifMatchOf } from '../http/precondition.ts'

const blockId = (place: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: `Id of the block ${place}` }))

const schema = {
  summary: 'Merge a Yjs update into a document, or insert BlockNote JSON, markdown or HTML, at the end or elsewhere',
  params: documentParams,
  querystring: Type.Object({
    ...contentQuery,
    position: Type.Optional(Type.Enum(['start', 'end'], { description: 'Default: end' })),
    before: blockId('before which the content is inserted'),
    after: blockId('after which the content is inserted'),
    replace: blockId('that the content replaces'),
  }),
  headers: writeHeaders,
}

const editDocument: FastifyPluginAsyncTypebox = async function (scope) {
  const bodyLimit = scope.config.CONVERSION_FILE_MAX_SIZE
  const onRequest = [refuseInvalidName(scope), refuseContentByHeaders(scope), refuseByConditions(scope)]
  readBodiesAsBytes(scope)

  scope.patch('/collaboration/api/documents/:room', { schema, bodyLimit, onRequest }, async (request, reply) => {
    const { params: { room }, query, headers } = request
    const ifMatch = ifMatchOf(headers)
    const change = changeOf(contentOf(request), query, editOptionsOf(scope, query.fragment))
    const write = { ...writeOf(room, request, reply, query.strict), ifMatch }
    try {
      return answerChanged(reply, await scope.documentWriter.change(write, change))
    } catch (error) {
      return answerFailedWrite(reply, error)
    }
  })
}

function changeOf ({ input, from }: Content, query: PositionQuery, options: EditOptions): Change {
  const position = insertPositionOf(query)
  if (from !== 'yjs') return { type: 'insert', input, from, position: position ?? { at: 'end' }, ...options }
  // It says itself where its content belongs.
  if (position !== undefined) throw new PositionInvalid()
  return { type: 'merge', input }
}

/** `PATCH /collaboration/api/documents/<room>`. */
export default editDocument
