import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { decodePlace, encodePlace } from '../cluster/connection-page.ts'
import { ParameterInvalid } from '../errors.ts'
import { documentError } from '../http/document-error.ts'
import { documentParams, refuseInvalidName } from '../http/document-parameters.ts'
import { nullableText } from '../http/nullable-text.ts'
import { refuseRepeated } from '../http/refuse-repeated.ts'

const maxConnections = 1000
const defaultLimit = 100
/** Characters of a cursor: a place with a host's name of 255 characters */
const maxCursorLength = 500

const preValidation = refuseRepeated('after', 'limit')

const schema = {
  summary: 'Who is in a document, on all nodes: a page of its connections, the oldest first',
  params: documentParams,
  querystring: Type.Object({
    after: Type.Optional(Type.String({
      maxLength: maxCursorLength,
      description: '`next` of the page before',
      examples: ['WzE3Njk4NTE4MDAwMDAsNDIsInktcHJvdmlkZXItMToxIl0'],
    })),
    limit: Type.Optional(Type.Integer({
      minimum: 1,
      maximum: maxConnections,
      description: `The most connections on the page; default: ${defaultLimit}. Large states make a page shorter`,
    })),
  }),
  response: {
    200: Type.Object({
      connections: Type.Array(Type.Object({
        userId: nullableText({ description: 'null: a user without an id', examples: ['42', null] }),
        canEdit: Type.Boolean(),
        since: Type.String({ description: 'When it was opened', examples: ['2026-01-31T09:30:00.000Z'] }),
        node: Type.String({ description: 'Host and process of the node', examples: ['y-provider-1:1'] }),
        protocol: Type.Enum(['y-websocket', 'hocuspocus']),
        presence: Type.Array(Type.Object({
          clientId: Type.Integer({ description: 'Yjs client id', examples: [2846193027] }),
          state: Type.Unknown({
            description: 'What the client has published about itself, as its editor defines it',
            examples: [{ user: { name: 'Ada', color: '#30bced' } }],
          }),
        })),
      })),
      next: nullableText({
        description: '`after` for the next page; null: there is none',
        examples: ['WzE3Njk4NTE4MDAwMDAsNDIsInktcHJvdmlkZXItMToxIl0', null],
      }),
    }),
  },
}

const documentConnections: FastifyPluginAsyncTypebox = async function (scope) {
  const onRequest = refuseInvalidName(scope)

  async function exists (room: string): Promise<boolean> {
    const [found] = await scope.documents.some([room])
    return found !== undefined
  }

  scope.get('/collaboration/api/documents/:room/connections', { schema, onRequest, preValidation }, async (request) => {
    const { params: { room }, query: { after, limit = defaultLimit } } = request
    const place = after === undefined ? undefined : decodePlace(after)
    if (after !== undefined && place === undefined) throw new ParameterInvalid('after')
    const page = await scope.connections.list(room, place, limit)
    try {
      if (page.connections.length === 0 && !await exists(room)) throw await scope.documents.absence(room)
    } catch (error) {
      throw documentError(error)
    }
    const connections = page.connections.map(({ userId = null, canEdit, since, node, protocol, presence }) => {
      return { userId, canEdit, since: new Date(since).toISOString(), node, protocol, presence: [...presence] }
    })
    return { connections, next: page.next === undefined ? null : encodePlace(page.next) }
  })
}

/** `GET /collaboration/api/documents/<room>/connections`. */
export default documentConnections
