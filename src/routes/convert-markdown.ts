import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ContentMissing } from '../errors.ts'
import { abortOnDisconnect } from '../http/abort-on-disconnect.ts'
import { conversionError } from '../http/conversion-error.ts'
import { reportDropped } from '../http/report-dropped.ts'

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
    const options = { softBreaks: CONVERSION_SOFT_BREAKS, math: CONVERSION_MATH }
    const { body, dropped } = await scope.converter
      .convert({ input: Buffer.from(content), from: 'markdown', to: 'yjs', ...options }, abortOnDisconnect(reply))
      .catch((error: unknown) => { throw conversionError(error) })
    reportDropped(reply, dropped)
    return { content: Buffer.from(body).toString('base64') }
  })
}

/** `POST /api/convert-markdown`. */
export default convertMarkdown
