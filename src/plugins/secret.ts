import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createHttpCheck, createSecretCheck } from '../access/secret.ts'
import { InvalidApiKey } from '../errors.ts'

/** An onRequest hook. */
type Verify = (request: FastifyRequest) => Promise<void>

declare module 'fastify' {
  interface FastifyInstance {
    /** Refuses a request whose `Authorization` header is neither the raw shared secret nor the API key, raw or as `Bearer`. */
    readonly verifySecret: Verify
    /** The same for a WebSocket handshake, where a ticket or a cookie may open too: only an `Authorization` header that is there and wrong is refused. The API key is none. */
    readonly verifyHandshake: Verify
  }
}

/** Makes the two checks of the `Authorization` header; app.ts hooks each into its scope. */
export default fp(async function secret (app: FastifyInstance) {
  const { COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS, Y_PROVIDER_API_KEY } = app.config
  const shared = [COLLABORATION_SERVER_SECRET, COLLABORATION_SERVER_SECRET_PREVIOUS]
  const opensHttp = createHttpCheck(shared, Y_PROVIDER_API_KEY)
  const opensSocket = createSecretCheck(shared)

  app.decorate('verifySecret', async function verifySecret (request) {
    if (!opensHttp(request.headers.authorization)) throw app.refuse(request, 'secret', new InvalidApiKey())
  })

  app.decorate('verifyHandshake', async function verifyHandshake (request) {
    const { authorization, upgrade } = request.headers
    const mayComeOtherwise = authorization === undefined && upgrade?.toLowerCase() === 'websocket'
    if (!mayComeOtherwise && !opensSocket(authorization)) throw app.refuse(request, 'secret', new InvalidApiKey())
  })
}, { name: 'secret', dependencies: ['env', 'refusals'], fastify: '5.x' })
