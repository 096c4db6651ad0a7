import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type Metric } from 'prom-client'
import { durationBuckets, type Durations } from '../logging/durations.ts'
import type { Counts } from '../sync/counters.ts'
import { version } from '../settings/version.ts'
import { addLoopDelay } from '../http/loop-delay.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly metrics: Metrics }
}

/** Where parts of the service count and register metrics. */
export interface Metrics {
  readonly registry: Registry
  converted (direction: { from: string, to: string }, seconds: number): void
  conversionFailed (direction: { from: string, to: string }, reason: string): void
  /** Shows durations as the histogram `y_provider_<name>`. */
  addDurations (name: string, help: string, durations: Durations): void
}

/** Seconds: from a conversion of a few lines to one that only just meets the deadline. */
const conversionBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30]

const engineHelp: Readonly<Record<keyof Counts, string>> = {
  messages: 'Messages from clients',
  updates: 'Updates with new content',
  repeats: 'Updates without new content',
  malformed: 'Updates that did not decode; their senders were closed',
  refused: 'Updates from connections that can only read',
  awarenessDropped: 'Awareness states for another person\'s client, too large or too many',
  ticks: 'Ticks of rooms',
  framesWritten: 'Writes to sockets by ticks',
  compactions: 'Snapshots written',
  updatesSetAside: 'Stored updates that Yjs cannot apply, set aside so that the rest of their document can be read',
  compactionFailures: 'Compactions that failed; they are retried later',
  logReads: 'Reads of the log for what other nodes have stored',
  resyncs: 'Connections that fell behind and caught up later',
}

/** ms (an hour): prom-client's own monitor of the event loop is replaced (loop-delay.ts) and cannot be turned off. */
const neverMs = 3_600_000

/** Metrics for Prometheus, shown by `GET /metrics`. Adds `app.metrics`, where parts of the service add their own. */
export default fp(async function metrics (app: FastifyInstance) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs })
  addLoopDelay(registry)
  const labels = { registers: [registry] }
  const durations = new Histogram({ ...labels, name: 'y_provider_conversion_seconds', help: 'Time from request to result of conversions', labelNames: ['from', 'to'], buckets: conversionBuckets })
  new Gauge({ ...labels, name: 'y_provider_build_info', help: 'Always 1; the labels say what runs', labelNames: ['version', 'node'] }).set({ version, node: process.version }, 1)
  const failures = new Counter({ ...labels, name: 'y_provider_conversion_failures_total', help: 'Conversions that failed', labelNames: ['from', 'to', 'reason'] })
  app.decorate('metrics', {
    registry,
    converted: (direction, seconds) => { durations.observe(direction, seconds) },
    conversionFailed: (direction, reason) => { failures.inc({ ...direction, reason }) },
    addDurations: (name, help, durations) => { registry.registerMetric(histogramOf(`y_provider_${name}`, help, durations)) },
  })
  // Once all parts are registered: each metric is read from its part when it is scraped.
  app.addHook('onReady', async function readParts () {
    const gauge = (name: string, help: string, read: () => number): void => {
      const made: Gauge = new Gauge({ ...labels, name: `y_provider_${name}`, help, collect: () => { made.set(read()) } })
    }
    const byLabel = (
      Kind: typeof Gauge | typeof Counter,
      name: string,
      help: string,
      label: string,
      read: () => Iterable<readonly [string | number, number]>
    ): void => {
      const made = new Kind({
        ...labels,
        name: `y_provider_${name}`,
        help,
        labelNames: [label],
        collect: () => {
          made.reset()
          for (const [value, count] of read()) made.inc({ [label]: value === 0 ? 'other' : value }, count)
        },
      })
    }
    const { rooms, gate, converter, cluster, refusals } = app
    gauge('rooms', 'Open rooms', () => rooms.openRooms)
    gauge('sockets', 'Open WebSockets', () => gate.limits.total)
    byLabel(Gauge, 'connections', 'Open connections, one for each document of a socket', 'protocol', () => gate.figures.connections)
    byLabel(Counter, 'closes_total', 'Closed WebSockets, by close code', 'code', () => gate.figures.closes)
    byLabel(Counter, 'refusals_total', 'Requests, WebSockets and documents that were refused, by rule', 'rule', () => refusals.counts)
    app.metrics.addDurations('store_commit_seconds', 'Transactions that append updates to the store', rooms.durations.commits)
    app.metrics.addDurations('acknowledgement_seconds', 'From the arrival of an update until it is stored', rooms.durations.acknowledgements)
    app.metrics.addDurations('document_opening_seconds', 'From the first connection until the document can be sent', rooms.durations.openings)
    gauge('unsaved_bytes', 'Bytes of updates that wait for the store', () => rooms.unsavedBytes)
    gauge('documents_in_backoff', 'Documents whose last compaction failed', () => rooms.documentsInBackoff)
    gauge('unfinished_bytes', 'Bytes of messages from clients that are incomplete or wait for authorisation', () => gate.inbound.total)
    gauge('store_failing', '1 while the store rejects updates', () => rooms.storeFailingSince === undefined ? 0 : 1)
    gauge('other_nodes', 'Other nodes that are alive and reachable', () => cluster.nodes.length)
    gauge('nodes_unheard', '1 while this node does not receive its own messages over Redis', () => cluster.isConnected ? 0 : 1)
    gauge('conversions_queued', 'Conversions that wait for a thread', () => converter.stats().queued)
    gauge('conversions_running', 'Conversions in threads', () => converter.stats().busy)
    gauge('conversion_threads_replaced', 'Threads that died or took too long', () => converter.stats().replaced)
    for (const name of Object.keys(engineHelp) as Array<keyof Counts>) { // the keys of a record over Counts
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

/** A metric that is read when it is scraped; the registry calls nothing else of it (prom-client/lib/registry.js). */
function histogramOf (name: string, help: string, durations: Durations): Metric {
  const get = async () => {
    const counts = durations.cumulative()
    const buckets = [...durationBuckets, '+Inf']
      .map((le, at) => ({ metricName: `${name}_bucket`, labels: { le }, value: counts[at] ?? 0 }))
    const values = [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: durations.seconds },
      { metricName: `${name}_count`, labels: {}, value: counts.at(-1) ?? 0 },
    ]
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
  return { name, help, type: 'histogram', get } as unknown as Metric
}
