import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createOriginCheck } from '../access/allowed-origins.ts'
import { InvalidOrigin } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Refuses a request whose `Origin` is not allowed. None at all (server to server) is fine. */
    readonly verifyOrigin: (request: FastifyRequest) => Promise<void>
  }
}

/** How long a browser keeps the answer to a preflight: 10 minutes, so that a changed setting is felt soon. */
const preflightMaxAgeSeconds = 600

/** Refuses pages of other origins, before anything else is looked at and at the WebSocket handshake too, and gives allowed ones their CORS headers. */
export default fp(async function cors (app: FastifyInstance) {
  const isAllowed = createOriginCheck(app.config.COLLABORATION_SERVER_ORIGIN)

  app.decorate('verifyOrigin', async function verifyOrigin (request) {
    const { origin } = request.headers
    if (origin !== undefined && !isAllowed(origin)) throw app.refuse(request, 'origin', new InvalidOrigin())
  })
  app.addHook('onRequest', app.verifyOrigin)

  // @fastify/cors answers OPTIONS in the public scope. What is no preflight needs the secret like every other request.
  app.addHook('onRoute', function guardOptions (route) {
    if (route.method === 'OPTIONS' && route.url === '*') route.onRequest = app.verifySecret
  })

  const options: FastifyCorsOptions = {
    origin: true, // the origin of the request: verifyOrigin has let it in
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['X-Conversion-Dropped', 'Retry-After'],
    maxAge: preflightMaxAgeSeconds,
  }
  const withoutPreflight = { ...options, preflight: false }
  await app.register(fastifyCors, { delegator: async (request: FastifyRequest) => isPreflight(request) ? options : withoutPreflight })
}, { name: 'cors', dependencies: ['env', 'refusals', 'secret'], fastify: '5.x' })

/** @see https://fetch.spec.whatwg.org/#cors-preflight-request */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
