import type { FastifyInstance } from 'fastify'

/** `GET /metrics`: the metrics for Prometheus. */
export default async function metrics (scope: FastifyInstance): Promise<void> {
  const { registry } = scope.metrics
  scope.get('/metrics', async (_request, reply) => {
    reply.type(registry.contentType)
    return await registry.metrics()
  })
}
