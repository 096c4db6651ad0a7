import type { FastifyInstance, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { RoomNameInvalid } from '../errors.ts'
import { roomNamePattern } from '../settings/derived.ts'

/** The parameter of the routes of one document. */
export const documentParams = Type.Object({ room: Type.String({ description: 'Name of the document, percent-encoded once' }) })

/** The query parameter of the routes that convert a document. */
export const fragmentParameter = Type.Optional(Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Name of the root fragment; default: document-store',
}))

/** The values of a query parameter that is on or off. */
export const switchValues = ['1', 'true', '0', 'false'] as const

/** A hook that refuses a name that no room can have, for routes with `documentParams`. */
export function refuseInvalidName ({ config }: FastifyInstance): (request: FastifyRequest) => Promise<void> {
  const pattern = roomNamePattern(config)
  return async function refuseName ({ params }) {
    const { room } = params as { room: string } // `documentParams`
    if (!pattern.test(room)) throw new RoomNameInvalid()
  }
}
