import { availableParallelism } from 'node:os'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { DocumentWork } from '../sync/document-work.ts'
import { documentWorkOf } from '../workers/document-work.ts'
import { openPool } from '../workers/pool.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly documentWork: DocumentWork }
}

/** MiB of heap for one worker: a document of 100 MB with a long history takes about ten times its bytes. */
const memoryMb = 2048

/** Far more than there are large documents; each waiting task holds its document's bytes. */
const maxQueue = 1000

/** `.ts` in development and tests, `.js` in the build: as this file. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The worker threads that compact documents, compute differences and check large updates. */
export default fp(async function documentWork (app: FastifyInstance) {
  const threads = app.config.DOCUMENT_THREADS || Math.max(1, Math.floor(availableParallelism() / 2))
  const pool = openPool({
    module: new URL(`../workers/document-tasks.${extension}`, import.meta.url),
    threads,
    maxQueue,
    memoryMb,
    logger: app.log,
  })
  app.decorate('documentWork', documentWorkOf(pool))
  app.addHook('onClose', () => pool.close())
}, { name: 'document-work', dependencies: ['env'], fastify: '5.x' })
