import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createHttpCheck, createSecretCheck } from '../access/secret-check.ts'
import { InvalidApiKey } from '../errors.ts'

/** An onRequest hook. */
type Verify = (request: FastifyRequest) => Promise<void>

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Refuses a request whose `Authorization` header is neither the raw shared secret nor the API key, raw or as
     * `Bearer`.
     */
    readonly verifySecret: Verify
    /**
     * Refuses a WebSocket handshake with a wrong `Authorization` header. A handshake without the header passes, since a
     * ticket or a cookie can give access too. The API key gives no access here.
     */
    readonly verifyHandshake: Verify
  }
}

/** Adds `app.verifySecret` and `app.verifyHandshake`, the checks of the `Authorization` header for the two scopes. */
export default fp(async function secret (app: FastifyInstance) {
  const { COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS, Y_PROVIDER_API_KEY } = app.config
  const shared = [COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS]
  const isAcceptedForHttp = createHttpCheck(shared, Y_PROVIDER_API_KEY)
  const isAcceptedForSockets = createSecretCheck(shared)

  app.decorate('verifySecret', async function verifySecret (request) {
    if (!isAcceptedForHttp(request.headers.authorization)) throw app.refuse(request, 'secret', new InvalidApiKey())
  })

  app.decorate('verifyHandshake', async function verifyHandshake (request) {
    const { authorization, upgrade } = request.headers
    const canUseTicketOrCookie = authorization === undefined && upgrade?.toLowerCase() === 'websocket'
    if (!canUseTicketOrCookie && !isAcceptedForSockets(authorization)) throw app.refuse(request, 'secret', new InvalidApiKey())
  })
}, { name: 'secret', dependencies: ['env', 'refusals'], fastify: '5.x' })
