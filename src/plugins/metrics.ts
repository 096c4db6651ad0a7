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

export interface Metrics {
  readonly registry: Registry
  converted (direction: { from: string, to: string }, seconds: number): void
  conversionFailed (direction: { from: string, to: string }, reason: string): void
  /** Shows durations as the histogram `y_provider_<name>`. */
  addDurations (name: string, help: string, durations: Durations): void
}

/** Seconds: from what is converted in place to what only just meets the deadline. */
const conversionBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30]

const engineHelp: Readonly<Record<keyof Counts, string>> = {
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

/** An hour: prom-client's own monitor of the event loop is replaced (loop-delay.ts), and cannot be left out. */
const neverMs = 3_600_000

/** Figures for Prometheus. Parts add their own where they are made; `GET /metrics` shows them. */
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
  // When all parts are there: a figure is read from the part that knows it, at the moment somebody asks.
  app.addHook('onReady', async function readParts () {
    const gauge = (name: string, help: string, read: () => number): void => {
      const made: Gauge = new Gauge({ ...labels, name: `y_provider_${name}`, help, collect: () => { made.set(read()) } })
    }
    const byLabel = (Kind: typeof Gauge | typeof Counter, name: string, help: string, label: string, read: () => Iterable<readonly [string | number, number]>): void => {
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
    byLabel(Gauge, 'connections', 'Connections that are in a document', 'protocol', () => gate.figures.connections)
    byLabel(Counter, 'closes_total', 'WebSockets that have ended, by close code', 'code', () => gate.figures.closes)
    byLabel(Counter, 'refusals_total', 'Requests, WebSockets and documents refused, by rule', 'rule', () => refusals.counts)
    app.metrics.addDurations('store_commit_seconds', 'Transactions that append updates to the store', rooms.durations.commits)
    app.metrics.addDurations('acknowledgement_seconds', 'From the arrival of an update until it is stored', rooms.durations.acknowledgements)
    app.metrics.addDurations('document_opening_seconds', 'From the first connection until the document can be sent', rooms.durations.openings)
    gauge('unsaved_bytes', 'Bytes of updates that wait for the store', () => rooms.unsavedBytes)
    gauge('documents_in_backoff', 'Documents whose last compaction failed', () => rooms.documentsInBackoff)
    gauge('unfinished_bytes', 'Bytes of messages from clients that have not arrived whole or wait for a verdict', () => gate.inbound.total)
    gauge('store_failing', '1 while the store does not take updates', () => rooms.storeFailingSince === undefined ? 0 : 1)
    gauge('other_nodes', 'Other nodes that live, as far as this one hears', () => cluster.nodes.length)
    gauge('nodes_unheard', '1 while this node does not even hear itself over Redis', () => cluster.isConnected ? 0 : 1)
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

/** Read when somebody asks; the registry calls nothing else of a metric (prom-client/lib/registry.js). */
function histogramOf (name: string, help: string, durations: Durations): Metric {
  const get = async () => {
    const counts = durations.cumulative()
    const buckets = [...durationBuckets, '+Inf'].map((le, at) => ({ metricName: `${name}_bucket`, labels: { le }, value: counts[at] ?? 0 }))
    const values = [...buckets, { metricName: `${name}_sum`, labels: {}, value: durations.seconds }, { metricName: `${name}_count`, labels: {}, value: counts.at(-1) ?? 0 }]
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
  return { name, help, type: 'histogram', get } as unknown as Metric
}
