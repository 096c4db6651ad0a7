import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Adds OPTIONS to every route: 204 with the route's methods in `Allow`. It reveals nothing else, so it needs no secret.
 * The plugin `cors` answers preflights. Adds no decorator.
 */
export default fp(async function optionsRoutes (app: FastifyInstance) {
  const methodsOf = new Map<string, Set<string>>()

  app.addHook('onRoute', function addOptions ({ method, url }: RouteOptions) {
    const path = url.replace(/(?<=.)\/$/, '')
    if (method === 'OPTIONS') return
    const known = methodsOf.get(path)
    const methods = known ?? new Set(['OPTIONS'])
    for (const name of [method].flat()) methods.add(name)
    if (known !== undefined) return
    methodsOf.set(path, methods)
    // On the outer instance, because a scope's own hooks ask for the secret.
    app.options(path, { logLevel: 'warn' }, async (_request, reply) => {
      return reply.code(204).header('allow', [...methods].sort().join(', ')).send()
    })
  })
}, { name: 'options-routes', dependencies: ['cors'], fastify: '5.x' })
