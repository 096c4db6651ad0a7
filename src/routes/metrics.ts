import type { FastifyInstance } from 'fastify'

/** Figures for Prometheus. */
export default async function metrics (scope: FastifyInstance): Promise<void> {
  const { registry } = scope.metrics
  scope.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return await registry.metrics()
  })
}
