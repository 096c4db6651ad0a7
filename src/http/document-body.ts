import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Write } from '../documents/document-writer.ts'
import type { EditOptions } from '../documents/edit/edit-request.ts'
import { inputFormatOf, type InputFormat } from '../convert/formats.ts'
import { ContentMissing, ContentTooLarge, ContentTypeUnsupported } from '../errors.ts'
import { webOrigin } from '../settings/derived.ts'
import { abortOnDisconnect } from './abort-on-disconnect.ts'
import { fragmentParameter, switchValues } from './document-parameters.ts'
import { assertPrecondition, refuseIfNoneMatch } from './precondition.ts'

/** The headers that say for which state a write is, and who made it. */
export const writeHeaders = Type.Object({
  'x-user-id': Type.Optional(Type.String({ description: 'Id of the user who made the edit' })),
  'if-match': Type.Optional(Type.String({ description: 'ETag of the document as it was read; if it has changed since, the answer is 412' })),
})

/** The query parameters of a route that reads content. */
export const contentQuery = {
  fragment: fragmentParameter,
  strict: Type.Optional(Type.Enum(switchValues, {
    description: '1 or true: content that the document cannot hold causes an error (422) instead of a header',
  })),
}

/** The content of a request. */
export interface Content {
  readonly input: Uint8Array
  readonly from: InputFormat
}

type Hook = (request: FastifyRequest) => Promise<void>

/** Reads the bodies of a scope as bytes, whatever their type. */
export function readBodiesAsBytes (scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
}

/** Refuses a request by its headers before its body is read, as `/api/convert` does. */
export function refuseContentByHeaders ({ config }: FastifyInstance): Hook {
  const maxBytes = config.CONVERSION_FILE_MAX_SIZE
  return async function refuseContent ({ headers }) {
    const length = Number(headers['content-length'] ?? NaN)
    if (length === 0 || (Number.isNaN(length) && headers['transfer-encoding'] === undefined)) throw new ContentMissing()
    if (inputFormatOf(headers['content-type']) === undefined) throw new ContentTypeUnsupported()
    if (length > maxBytes) throw new ContentTooLarge()
  }
}

/** Refuses a write that does not say for which state of the document it is, if the settings require that. */
export function refuseUnconditional ({ config }: FastifyInstance): Hook {
  return async function refuseWithoutCondition ({ headers }) {
    if (config.REQUIRE_IF_MATCH) assertPrecondition(headers)
  }
}

/** Refuses a change of an existing document by its conditions: `If-Match` is the only one it can have. */
export function refuseByConditions ({ config }: FastifyInstance): Hook {
  return async function refuseConditions ({ headers }) {
    refuseIfNoneMatch(headers)
    if (config.REQUIRE_IF_MATCH) assertPrecondition(headers)
  }
}

/** The content of a request that `refuseContentByHeaders` has let through. @throws ContentMissing */
export function contentOf ({ headers, body }: FastifyRequest): Content {
  const from = inputFormatOf(headers['content-type'])
  // An empty body in chunks is known only once it has been read.
  if (!(body instanceof Uint8Array) || body.length === 0 || from === undefined) throw new ContentMissing()
  return { input: body, from }
}

/** How the settings and the request say that content is read. */
export function editOptionsOf ({ config }: FastifyInstance, fragment: string | undefined): EditOptions {
  const origin = webOrigin(config)
  return {
    softBreaks: config.CONVERSION_SOFT_BREAKS,
    math: config.CONVERSION_MATH,
    ...fragment !== undefined && { fragment },
    ...origin !== undefined && { origin },
  }
}

/** The circumstances of a write, without a condition. */
export function writeOf (room: string, { headers }: FastifyRequest, reply: FastifyReply, strict?: string): Write {
  const user = headers['x-user-id']
  return {
    room,
    authors: typeof user === 'string' && user !== '' ? [user] : [],
    isStrict: strict === '1' || strict === 'true',
    signal: abortOnDisconnect(reply),
  }
}
