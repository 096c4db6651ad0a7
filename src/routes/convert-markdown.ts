import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ContentMissing } from '../errors.ts'
import { conversionFailure } from '../http/conversion-failure.ts'
import { tellDropped } from '../http/tell-dropped.ts'

const schema = {
  summary: 'Convert markdown to a Yjs update in base64: the older form of /api/convert/',
  body: Type.Object({ content: Type.Optional(Type.Unknown()) }),
  response: { 200: Type.Object({ content: Type.String() }) },
}

const convertMarkdown: FastifyPluginAsyncTypebox = async function (scope) {
  const { CONVERSION_FILE_MAX_SIZE, CONVERSION_MATH, CONVERSION_SOFT_BREAKS } = scope.config

  scope.post('/api/convert-markdown', { schema, bodyLimit: CONVERSION_FILE_MAX_SIZE }, async (request, reply) => {
    const { content } = request.body
    if (typeof content !== 'string' || content === '') throw new ContentMissing()
    const { body, dropped } = await scope.converter
      .convert({ input: Buffer.from(content), from: 'markdown', to: 'yjs', softBreaks: CONVERSION_SOFT_BREAKS, math: CONVERSION_MATH })
      .catch((error: unknown) => { throw conversionFailure(error) })
    tellDropped(reply, dropped)
    return { content: Buffer.from(body).toString('base64') }
  })
}

/** `POST /api/convert-markdown`. */
export default convertMarkdown
