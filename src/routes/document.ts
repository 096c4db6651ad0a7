import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { DocumentHead } from '../documents/documents.ts'
import { negotiate, type Negotiated } from '../convert/formats.ts'
import { FormatUnsupported } from '../errors.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { AnswersInFlight } from '../http/answers-in-flight.ts'
import { answerConverted, contentTypeOf } from '../http/answer-converted.ts'
import { documentError } from '../http/document-error.ts'
import { documentParams, fragmentParameter, refuseInvalidName, switchValues } from '../http/document-parameters.ts'
import { entityTagOf, namesTag } from '../http/entity-tag.ts'
import { webOrigin } from '../settings/derived.ts'

/** Bytes of answers that clients have yet to read, from which further reads are told to try again. */
const maxAnswerBytes = 256 * 2 ** 20
/** ms without progress after which a client counts as gone. */
const stalledMs = 60_000

const schema = {
  summary: 'Read a document, in the best format that Accept allows: Yjs, BlockNote JSON, markdown, HTML or plain text',
  params: documentParams,
  querystring: Type.Object({
    fragment: fragmentParameter,
    strict: Type.Optional(Type.Enum(switchValues, {
      description: '1 or true: content that the format cannot hold causes an error (422) instead of a header',
    })),
  }),
}

const document: FastifyPluginAsyncTypebox = async function (scope) {
  const { CONVERSION_MATH, CONVERSION_SOFT_BREAKS } = scope.config
  const onRequest = refuseInvalidName(scope)
  const origin = webOrigin(scope.config)
  const inFlight = new AnswersInFlight(maxAnswerBytes, stalledMs)

  /** Sets the headers of a document in a format. @returns its entity tag */
  function describe (reply: FastifyReply, { sequence, updatedAt }: DocumentHead, { format }: Negotiated): string {
    const etag = entityTagOf(sequence, format)
    const lastModified = new Date(updatedAt).toUTCString()
    reply.headers({ etag, 'last-modified': lastModified, vary: 'Accept', 'cache-control': 'no-cache' })
    return etag
  }

  async function answer (
    room: string,
    to: Negotiated,
    { fragment, strict }: { fragment?: string, strict?: string },
    reply: FastifyReply
  ): Promise<FastifyReply> {
    const signal = abortOnDisconnect(reply)
    inFlight.assertRoom()
    const read = await scope.documents.read(room, signal)
    if (read === undefined) throw await scope.documents.absence(room)
    // Other answers can have been begun while this one waited for its turn.
    inFlight.assertRoom()
    describe(reply, read, to)
    if (to.format === 'yjs') {
      inFlight.add(reply, read.update.length)
      return answerConverted(reply, { body: read.update, dropped: [] }, to.mediaType, strict)
    }
    const options = {
      softBreaks: CONVERSION_SOFT_BREAKS,
      math: CONVERSION_MATH,
      ...(fragment !== undefined && { fragment }),
      ...(origin !== undefined && { origin }),
    }
    const converted = await scope.converter.convert({ input: read.update, from: 'yjs', to: to.format, ...options }, signal)
    inFlight.add(reply, converted.body.length)
    return answerConverted(reply, converted, to.mediaType, strict)
  }

  scope.get('/collaboration/api/documents/:room', { schema, onRequest }, async (request, reply) => {
    const { room } = request.params
    const { 'if-none-match': ifNoneMatch, accept } = request.headers
    const to = negotiate(accept)
    if (to === undefined) throw new FormatUnsupported()
    try {
      // Without the content, if the client has it or does not want it.
      if (request.method === 'HEAD' || ifNoneMatch !== undefined) {
        const head = await scope.documents.find(room)
        if (head === undefined) throw await scope.documents.absence(room)
        if (namesTag(ifNoneMatch, describe(reply, head, to))) return await reply.code(304).send()
        if (request.method === 'HEAD') return await reply.type(contentTypeOf(to.mediaType)).send()
      }
      return await answer(room, to, request.query, reply)
    } catch (error) {
      throw documentError(error)
    }
  })
}

/** `GET` and `HEAD /collaboration/api/documents/<room>`. */
export default document
