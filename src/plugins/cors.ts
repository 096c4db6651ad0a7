import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createOriginCheck } from '../access/allowed-origins.ts'
import { InvalidOrigin } from '../errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Refuses a request whose `Origin` is not allowed. A request without one (server to server) passes. */
    readonly verifyOrigin: (request: FastifyRequest) => Promise<void>
  }
}

/** Seconds that a browser caches the answer to a preflight: 10 minutes, so that a changed setting takes effect soon. */
const preflightMaxAgeSeconds = 600

/**
 * Refuses pages of other origins before any other check, at the WebSocket handshake too, and gives the others their
 * CORS headers. Adds `app.verifyOrigin`.
 */
export default fp(async function cors (app: FastifyInstance) {
  const isAllowed = createOriginCheck(app.config.COLLABORATION_SERVER_ORIGIN)

  app.decorate('verifyOrigin', async function verifyOrigin (request) {
    const { origin } = request.headers
    if (origin !== undefined && !isAllowed(origin)) throw app.refuse(request, 'origin', new InvalidOrigin())
  })
  app.addHook('onRequest', app.verifyOrigin)

  // @fastify/cors answers OPTIONS in the public scope. An OPTIONS request that is no preflight needs the secret too.
  app.addHook('onRoute', function guardOptions (route) {
    if (route.method === 'OPTIONS' && route.url === '*') route.onRequest = app.verifySecret
  })

  const options: FastifyCorsOptions = {
    origin: true, // the origin of the request, which verifyOrigin has checked
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: ['X-Conversion-Dropped', 'Retry-After'],
    maxAge: preflightMaxAgeSeconds,
  }
  const withoutPreflight = { ...options, preflight: false }
  await app.register(fastifyCors, {
    delegator: async (request: FastifyRequest) => isPreflight(request) ? options : withoutPreflight,
  })
}, { name: 'cors', dependencies: ['env', 'refusals', 'secret'], fastify: '5.x' })

/** @see https://fetch.spec.whatwg.org/#cors-preflight-request */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}
