import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { RoomNameMissing } from '../errors.ts'
import { ignoreBody } from '../http/ignore-body.ts'

const schema = {
  summary: 'Close all connections of a room, or those of one user in it; their clients reconnect and are authorised again',
  querystring: Type.Object({ room: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])) }),
  headers: Type.Object({ 'x-user-id': Type.Optional(Type.String()) }),
  response: { 200: Type.Object({ message: Type.Literal('Connections reset') }) },
}

const resetConnections: FastifyPluginAsyncTypebox = async function (scope) {
  ignoreBody(scope)

  scope.post('/collaboration/api/reset-connections', { schema }, async (request) => {
    const rooms = [request.query.room ?? []].flat().filter((room) => room !== '')
    if (rooms.length === 0) throw new RoomNameMissing()
    const userId = request.headers['x-user-id'] || undefined
    const closed = await Promise.all(rooms.map((room) => scope.connections.reset(room, userId)))
    request.log.info({ rooms: rooms.length, closed: closed.reduce((sum, count) => sum + count, 0) }, 'Reset the connections of rooms')
    return { message: 'Connections reset' as const }
  })
}

/** `POST /collaboration/api/reset-connections`. */
export default resetConnections
