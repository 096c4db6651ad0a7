import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Counters } from '../sync/services.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly metrics: Metrics }
}

export interface Metrics {
  readonly registry: Registry
  converted (direction: { from: string, to: string }, seconds: number): void
  conversionFailed (direction: { from: string, to: string }, reason: string): void
}

/** Seconds: from what is converted in place to what only just meets the deadline. */
const conversionBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30]

const engineHelp: Readonly<Record<keyof Counters, string>> = {
  messages: 'Messages from clients',
  updates: 'Updates that brought something new',
  repeats: 'Updates that held nothing new',
  malformed: 'Updates that did not decode; their senders were closed',
  refused: 'Updates from connections that may only read',
  awarenessDropped: 'Awareness states that spoke for somebody else, or were too large or too many',
  ticks: 'Ticks of rooms',
  framesWritten: 'Writes to sockets by ticks',
  compactions: 'Snapshots written',
  updatesSetAside: 'Stored updates that Yjs cannot apply, put aside so that the rest of their document can be read',
  compactionFailures: 'Compactions that failed; the document is tried again later',
  logReads: 'Reads of the log for what other nodes have stored',
  resyncs: 'Connections that fell behind and caught up later',
}

/** How often the event loop's lag is sampled, in ms. By default prom-client does it every 10: a hundred times a second an idle process would wake up for nothing else. */
const lagEveryMs = 100

/** Figures for Prometheus. Parts add their own where they are made; `GET /metrics` shows them. */
export default fp(async function metrics (app: FastifyInstance) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: lagEveryMs })
  const labels = { registers: [registry] }
  const durations = new Histogram({ ...labels, name: 'y_provider_conversion_seconds', help: 'Time from request to result of conversions', labelNames: ['from', 'to'], buckets: conversionBuckets })
  const failures = new Counter({ ...labels, name: 'y_provider_conversion_failures_total', help: 'Conversions that failed', labelNames: ['from', 'to', 'reason'] })
  app.decorate('metrics', {
    registry,
    converted: (direction, seconds) => { durations.observe(direction, seconds) },
    conversionFailed: (direction, reason) => { failures.inc({ ...direction, reason }) },
  })
  // When all parts are there: a figure is read from the part that knows it, at the moment somebody asks.
  app.addHook('onReady', async function readParts () {
    const gauge = (name: string, help: string, read: () => number): void => {
      const made: Gauge = new Gauge({ ...labels, name: `y_provider_${name}`, help, collect: () => { made.set(read()) } })
    }
    const { rooms, gate, converter, cluster } = app
    gauge('rooms', 'Open rooms', () => rooms.openRooms)
    gauge('sockets', 'Open WebSockets', () => gate.limits.total)
    gauge('unsaved_bytes', 'Bytes of updates that wait for the store', () => rooms.unsavedBytes)
    gauge('documents_in_backoff', 'Documents whose last compaction failed', () => rooms.documentsInBackoff)
    gauge('unfinished_bytes', 'Bytes of messages from clients that have not arrived whole or wait for a verdict', () => gate.inbound.total)
    gauge('store_failing', '1 while the store does not take updates', () => rooms.storeFailingSince === undefined ? 0 : 1)
    gauge('other_nodes', 'Other nodes that live, as far as this one hears', () => cluster.nodes.length)
    gauge('nodes_unheard', '1 while this node does not even hear itself over Redis', () => cluster.isConnected ? 0 : 1)
    gauge('conversions_queued', 'Conversions that wait for a thread', () => converter.stats().queued)
    gauge('conversions_running', 'Conversions in threads', () => converter.stats().busy)
    gauge('conversion_threads_replaced', 'Threads that died or took too long', () => converter.stats().replaced)
    for (const name of Object.keys(engineHelp) as Array<keyof Counters>) { // the keys of a record over Counters
      const made: Counter = new Counter({
        ...labels,
        name: `y_provider_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
        help: engineHelp[name],
        collect: () => {
          made.reset()
          made.inc(rooms.counters[name])
        },
      })
    }
  })
}, { name: 'metrics', dependencies: ['env'], fastify: '5.x' })
