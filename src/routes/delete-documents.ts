import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ConditionAmbiguous, RoomNameInvalid, RoomNameMissing, TooManyRooms } from '../errors.ts'
import { documentError } from '../http/document-error.ts'
import { ignoreBody } from '../http/ignore-body.ts'
import { roomNamePattern } from '../settings/derived.ts'

/** Documents in one request; a URL has room for about 400 names like those of La Suite Docs. */
const maxRooms = 1000

const names = (description: string) => Type.Array(Type.String(), { description })

const schema = {
  summary: 'Delete several documents permanently, and close their connections on every node with 4404',
  querystring: Type.Object({
    room: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], {
      description: `Names of the documents, one parameter for each, at most ${maxRooms}`,
    })),
  }),
  headers: Type.Object({
    'x-user-id': Type.Optional(Type.String({ description: 'The user who deletes them, for the log' })),
  }),
  response: {
    200: Type.Object({
      deleted: names('Documents that this request has deleted'),
      alreadyDeleted: names('Documents that were deleted before'),
      notFound: names('Documents that do not exist'),
    }),
  },
}

const deleteDocuments: FastifyPluginAsyncTypebox = async function (scope) {
  const pattern = roomNamePattern(scope.config)
  ignoreBody(scope)

  scope.delete('/collaboration/api/documents', { schema }, async ({ query, headers }) => {
    const rooms = [...new Set([query.room ?? []].flat())]
    if (rooms.every((room) => room === '')) throw new RoomNameMissing()
    if (rooms.length > maxRooms) throw new TooManyRooms(maxRooms)
    if (!rooms.every((room) => pattern.test(room))) throw new RoomNameInvalid()
    if (headers['if-match'] !== undefined) throw new ConditionAmbiguous()
    const userId = headers['x-user-id'] || undefined
    const settled = await Promise.allSettled(rooms.map(async (room) => {
      return { room, outcome: (await scope.deletion.delete(room, { userId })).outcome }
    }))
    // All have ended: nothing is deleted after the answer.
    const failed = settled.find((each) => each.status === 'rejected')
    if (failed !== undefined) throw documentError(failed.reason)
    const ended = settled.flatMap((each) => each.status === 'fulfilled' ? [each.value] : [])
    const where = (wanted: string): string[] =>
      ended.filter(({ outcome }) => outcome === wanted).map(({ room }) => room)
    return { deleted: where('erased'), alreadyDeleted: where('deleted'), notFound: where('absent') }
  })
}

/** `DELETE /collaboration/api/documents?room=…&room=…`. */
export default deleteDocuments
