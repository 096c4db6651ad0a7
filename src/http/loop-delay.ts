import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'

/** How often the delay is sampled, in ms. More often would wake an idle process for nothing else. */
export const sampleEveryMs = 100

const nsPerSecond = 1e9

/** By the names that dashboards for Node.js know. */
export const figures = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const
type Figure = typeof figures[number]

/**
 * Replaces prom-client's figures of the event loop's delay. Node measures from one sample to the next, the interval
 * between them included: an idle process would show 0.1 s.
 */
export function addLoopDelay (registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: sampleEveryMs })
  histogram.enable()
  const gauges = new Map<Figure, Gauge>()
  /** The first gauge is asked first, and sets all of them: they are of the same time. */
  function collect (): void {
    for (const [figure, gauge] of gauges) gauge.set(histogram.count === 0 ? 0 : delayOf(histogram, figure))
    histogram.reset()
  }
  for (const figure of figures) {
    const name = `nodejs_eventloop_lag_${figure}_seconds`
    registry.removeSingleMetric(name)
    gauges.set(figure, new Gauge({ registers: [registry], name, help: `Delay of the event loop since the last scrape: ${figure}`, ...(gauges.size === 0 && { collect }) }))
  }
}

/** What a histogram of the intervals between samples says of the delay, in seconds. */
export function delayOf (histogram: Pick<IntervalHistogram, 'min' | 'max' | 'mean' | 'stddev' | 'percentile'>, figure: Figure): number {
  const measuredNs = figure === 'min' || figure === 'max' || figure === 'mean' || figure === 'stddev' ? histogram[figure] : histogram.percentile(Number(figure.slice(1)))
  const intervalNs = figure === 'stddev' ? 0 : sampleEveryMs * 1e6
  return Math.max(0, measuredNs - intervalNs) / nsPerSecond
}
