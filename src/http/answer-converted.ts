import type { FastifyReply } from 'fastify'
import type { Converted } from '../convert/convert.ts'
import { reportDropped } from './report-dropped.ts'

const textual = /^text\//

/** The `Content-Type` of a document in this media type. */
export const contentTypeOf = (mediaType: string): string => {
  return textual.test(mediaType) ? `${mediaType}; charset=utf-8` : mediaType
}

/**
 * Answers with a converted document, and reports in a header what its format cannot hold.
 * @param strict the query parameter: 1 or true turns such content into an error
 */
export function answerConverted (
  reply: FastifyReply,
  { body, dropped }: Converted,
  mediaType: string,
  strict: string | undefined
): FastifyReply {
  const isStrict = strict === '1' || strict === 'true'
  if (reportDropped(reply, dropped) > 0 && isStrict) {
    return reply.code(422).send({ error: 'The output format cannot carry all of the document', dropped })
  }
  reply.type(contentTypeOf(mediaType))
  return reply.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
}
