import { availableParallelism } from 'node:os'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { DocumentWork } from '../sync/document-work.ts'
import { DocumentThreads } from '../workers/document-threads.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly documentWork: DocumentWork }
}

/** The worker threads that compact documents, compute differences and check large updates. */
export default fp(async function documentWork (app: FastifyInstance) {
  const threads = app.config.DOCUMENT_THREADS || Math.max(1, Math.floor(availableParallelism() / 2))
  const work = await DocumentThreads.open(threads, app.log)
  app.decorate('documentWork', work)
  app.addHook('onClose', () => work.close())
}, { name: 'document-work', dependencies: ['env'], fastify: '5.x' })
