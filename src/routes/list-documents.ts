import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { ListedDocument } from '../documents/documents.ts'
import { ParametersExclusive, RoomNameInvalid } from '../errors.ts'
import { documentError } from '../http/document-error.ts'
import { nullableText } from '../http/nullable-text.ts'
import { refuseRepeated } from '../http/refuse-repeated.ts'
import { time, timeOf } from '../http/time.ts'
import { roomNamePattern } from '../settings/derived.ts'

const maxDocuments = 1000
const defaultLimit = 100

/** No name of a document has more characters, or this one. */
const partOfName = { maxLength: 255, pattern: '^[^\\0]*$' }

const preValidation = refuseRepeated('prefix', 'after', 'limit')

const nothingStored = { bytes: 0, sequence: 0, createdAt: 0, updatedAt: 0 }

const schema = {
  summary: 'The documents of the store in the order of their names, page by page; or those that `room` names',
  querystring: Type.Object({
    prefix: Type.Optional(Type.String({
      ...partOfName,
      description: 'Only documents whose names begin with this',
      examples: ['project-7/'],
    })),
    after: Type.Optional(Type.String({
      ...partOfName,
      description: 'Only documents whose names come after this one: `next` of the page before',
      examples: ['project-7/minutes'],
    })),
    limit: Type.Optional(Type.Integer({
      minimum: 1,
      maximum: maxDocuments,
      description: `The most documents on the page; default: ${defaultLimit}`,
    })),
    room: Type.Optional(Type.Array(Type.String(), {
      maxItems: maxDocuments,
      description: 'Just these documents and rooms; to be repeated, and not with the other parameters',
      examples: [['project-7/minutes', 'project-7/plan']],
    })),
  }),
  response: {
    200: Type.Object({
      documents: Type.Array(Type.Object({
        name: Type.String({ examples: ['project-7/minutes'] }),
        bytes: Type.Integer({ description: 'Bytes that are stored', examples: [20480] }),
        sequence: Type.Integer({
          description: 'Rises with each stored update, and is the first part of the ETag; 0: nothing is stored yet',
          examples: [17],
        }),
        createdAt: time('When it was created; null if nothing is stored yet'),
        updatedAt: time('When an update was stored last; null if nothing is stored yet'),
        connections: Type.Integer({ description: 'Connections to it, on all nodes', examples: [2] }),
      })),
      next: nullableText({
        description: '`after` for the next page; null: there is none',
        examples: ['project-7/minutes', null],
      }),
    }),
  },
}

const listDocuments: FastifyPluginAsyncTypebox = async function (scope) {
  const pattern = roomNamePattern(scope.config)

  /** Those of these rooms that are stored or open. */
  async function describe (rooms: readonly string[], stored: readonly ListedDocument[]) {
    const sizes = await scope.connections.sizes(rooms)
    const byName = new Map(stored.map((document) => [document.name, document]))
    return rooms.flatMap((name) => {
      const document = byName.get(name)
      const connections = sizes.get(name) ?? 0
      if (document === undefined && connections === 0) return []
      const { bytes, sequence, createdAt, updatedAt } = document ?? nothingStored
      return [{ name, bytes, sequence, createdAt: timeOf(createdAt), updatedAt: timeOf(updatedAt), connections }]
    })
  }

  scope.get('/collaboration/api/documents', { schema, preValidation }, async ({ query }) => {
    const { room: named, prefix, after, limit } = query
    try {
      if (named === undefined) {
        const { documents, next = null } = await scope.documents.page(prefix ?? '', after ?? '', limit ?? defaultLimit)
        return { documents: await describe(documents.map(({ name }) => name), documents), next }
      }
      if ((prefix ?? after ?? limit) !== undefined) throw new ParametersExclusive('room', 'prefix, after or limit')
      if (!named.every((room) => pattern.test(room))) throw new RoomNameInvalid()
      const rooms = [...new Set(named)]
      return { documents: await describe(rooms, await scope.documents.some(rooms)), next: null }
    } catch (error) {
      throw documentError(error)
    }
  })
}

/** `GET /collaboration/api/documents`. */
export default listDocuments
