import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ParameterRepeated, RoomNameMissing, RoomNotFound, SessionKeyMissing } from '../errors.ts'

const parameter = Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())]))

const schema = {
  summary: 'The number of connections of a room that can edit, and whether one of them belongs to this session',
  querystring: Type.Object({ room: parameter, sessionKey: parameter }),
  response: { 200: Type.Object({ count: Type.Integer(), exists: Type.Boolean() }) },
}

const getConnections: FastifyPluginAsyncTypebox = async function (scope) {
  scope.get('/collaboration/api/get-connections', { schema }, async ({ query }) => {
    const room = single('room', query.room)
    if (room === '') throw new RoomNameMissing()
    const sessionKey = single('sessionKey', query.sessionKey)
    if (sessionKey === '') throw new SessionKeyMissing()
    const counted = await scope.connections.count(room, sessionKey)
    if (counted === undefined) throw new RoomNotFound()
    return counted
  })
}

/** `GET /collaboration/api/get-connections`. */
export default getConnections

function single (name: string, value: string | string[] | undefined): string {
  if (Array.isArray(value)) throw new ParameterRepeated(name)
  return value ?? ''
}
