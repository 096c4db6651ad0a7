import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

/** ms between two samples of the delay. More frequent samples would only wake an idle process. */
export const sampleEveryMs = 100

const nsPerSecond = 1e9

/** The figures, by the names that dashboards for Node.js use. */
export const figures = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const
type Figure = typeof figures[number]

/**
 * Replaces prom-client's figures of the event loop's delay. Node measures from one sample to the next, including the
 * interval between them, so an idle process would show 0.1 s.
 */
export function addLoopDelay (registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: sampleEveryMs })
  histogram.enable()
  const gauges = new Map<Figure, Gauge>()
  /** Called for the first gauge only; it sets all of them, so that their values are of the same time. */
  function collect (): void {
    for (const [figure, gauge] of gauges) gauge.set(histogram.count === 0 ? 0 : delayOf(histogram, figure))
    histogram.reset()
  }
  for (const figure of figures) {
    const name = `nodejs_eventloop_lag_${figure}_seconds`
    registry.removeSingleMetric(name)
    const help = `Delay of the event loop since the last scrape: ${figure}`
    gauges.set(figure, new Gauge({ registers: [registry], name, help, ...(gauges.size === 0 && { collect }) }))
  }
}

type Delays = Pick<IntervalHistogram, 'min' | 'max' | 'mean' | 'stddev' | 'percentile'>

/** The delay in seconds, from a histogram of the intervals between samples. */
export function delayOf (histogram: Delays, figure: Figure): number {
  const isOwn = figure === 'min' || figure === 'max' || figure === 'mean' || figure === 'stddev'
  const measuredNs = isOwn ? histogram[figure] : histogram.percentile(Number(figure.slice(1)))
  const intervalNs = figure === 'stddev' ? 0 : sampleEveryMs * 1e6
  return Math.max(0, measuredNs - intervalNs) / nsPerSecond
}
