import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { inputFormatOf, negotiate, type InputFormat, type Negotiated } from '../convert/formats.ts'
import { ContentMissing, ContentTooLarge, ContentTypeUnsupported, FormatUnsupported } from '../errors.ts'
import { webOrigin } from '../settings/derived.ts'
import { answerConverted } from '../http/answer-converted.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { conversionError } from '../http/conversion-error.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The formats of the conversion; set by its route before the body is read. */
    conversion: { readonly from: InputFormat, readonly to: Negotiated } | null
  }
}

const schema = {
  summary: 'Convert a document: the body in the format of Content-Type, the answer in the best one that Accept allows',
  querystring: Type.Object({
    /** Name of the root fragment in a Yjs document. */
    fragment: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    /** 1 or true: content that the output cannot hold causes an error instead of a header. */
    strict: Type.Optional(Type.Enum(['1', 'true', '0', 'false'])),
  }),
}

const convert: FastifyPluginAsyncTypebox = async function (scope) {
  const { CONVERSION_FILE_MAX_SIZE, CONVERSION_MATH, CONVERSION_SOFT_BREAKS } = scope.config
  const origin = webOrigin(scope.config)

  scope.decorateRequest('conversion', null)
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })

  /** Refuses a request by its headers before the body is read, in the order that clients rely on. */
  async function refuseByHeaders (request: FastifyRequest): Promise<void> {
    const { headers } = request
    const length = Number(headers['content-length'] ?? NaN)
    if (length === 0 || (Number.isNaN(length) && headers['transfer-encoding'] === undefined)) throw new ContentMissing()
    const from = inputFormatOf(headers['content-type'])
    if (from === undefined) throw new ContentTypeUnsupported()
    const to = negotiate(headers.accept)
    if (to === undefined) throw new FormatUnsupported()
    if (length > CONVERSION_FILE_MAX_SIZE) throw new ContentTooLarge()
    request.conversion = { from, to }
  }

  scope.post('/api/convert', { schema, bodyLimit: CONVERSION_FILE_MAX_SIZE, onRequest: refuseByHeaders }, async (request, reply) => {
    const { body, conversion, query } = request
    // An empty body in chunks is known only once it has been read.
    if (!(body instanceof Uint8Array) || body.length === 0 || conversion === null) throw new ContentMissing()
    const { from, to } = conversion
    const { fragment } = query
    const options = {
      softBreaks: CONVERSION_SOFT_BREAKS,
      math: CONVERSION_MATH,
      ...(fragment !== undefined && { fragment }),
      ...(origin !== undefined && { origin }),
    }
    const converted = await scope.converter
      .convert({ input: body, from, to: to.format, ...options }, abortOnDisconnect(reply))
      .catch((error: unknown) => { throw conversionError(error) })
    return answerConverted(reply, converted, to.mediaType, query.strict)
  })
}

/** `POST /api/convert`. */
export default convert
