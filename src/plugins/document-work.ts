import { availableParallelism } from 'node:os'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { DocumentWork } from '../sync/document-work.ts'
import { DocumentThreads, type Lane, lanes, type LaneStats, taskFailures } from '../workers/document-threads.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly documentWork: DocumentWork }
}

/** Adds `app.documentWork`: worker threads that compact documents, compute differences and check large updates. */
export default fp(async function documentWork (app: FastifyInstance) {
  const threads = app.config.DOCUMENT_THREADS || Math.max(1, Math.floor(availableParallelism() / 2))
  const work = await DocumentThreads.open(threads, app.log)
  app.decorate('documentWork', work)
  app.addHook('onClose', () => work.close())
  addMetrics(app.metrics.registry, (lane) => work.stats(lane))
}, { name: 'document-work', dependencies: ['env', 'metrics'], fastify: '5.x' })

/** Adds the metrics of each lane, which are read at each scrape. */
function addMetrics (registry: Registry, read: (lane: Lane) => LaneStats): void {
  const registers = [registry]
  const gauge = (name: string, help: string, value: (stats: LaneStats) => number): void => {
    const made: Gauge<'lane'> = new Gauge({
      registers,
      name,
      help,
      labelNames: ['lane'],
      collect: () => { for (const lane of lanes) made.set({ lane }, value(read(lane))) },
    })
  }
  gauge('y_provider_document_tasks_queued', 'Tasks on documents that wait for a thread', ({ queued }) => queued)
  gauge('y_provider_document_tasks_queued_bytes', 'Bytes that these tasks hold', ({ queuedBytes }) => queuedBytes)
  gauge('y_provider_document_threads', 'Threads for tasks on documents; 0 if there is nothing to do', ({ threads }) => threads)
  const seconds: Counter<'lane'> = new Counter({
    registers,
    name: 'y_provider_document_task_seconds_total',
    help: 'Time that threads spent on tasks on documents',
    labelNames: ['lane'],
    collect: () => {
      seconds.reset()
      for (const lane of lanes) seconds.inc({ lane }, read(lane).busyMs / 1000)
    },
  })
  const failures: Counter<'lane' | 'kind'> = new Counter({
    registers,
    name: 'y_provider_document_task_failures_total',
    help: 'Tasks on documents that failed',
    labelNames: ['lane', 'kind'],
    collect: () => {
      failures.reset()
      for (const lane of lanes) for (const kind of taskFailures) failures.inc({ lane, kind }, read(lane).failures[kind])
    },
  })
}
