import { setTimeout as delay } from 'node:timers/promises'
import { Crowd } from '../load/crowd.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { startServer, withFolder } from '../servers.ts'
import type { Column, Goal, Outcome, Scenario, Setting } from './scenario.ts'

/** ms after the end of the measured time for which deliveries still count. */
const drainTimeoutMs = 5000
/** ms for which a step of the warm-up waits until everything is delivered: a backlog would be measured with the row. */
const catchUpTimeoutMs = 30_000
/**
 * Deliveries that warm a server up, at this rate per second if the row's own is lower: a server runs for weeks, so the
 * cost of its first minutes (compiling its code) is not part of a steady figure.
 */
const warmUpDeliveries = 2_400_000
const warmUpDeliveredPerSecond = 40_000
const leastWarmUpSeconds = 10
/** Time at the row's own rate to settle. */
const settleSeconds = 3
/** Above this share of a core the delays are caused by this process. */
const notableLagMs = 25
/** Below this share of the offered rate the server did not keep up. */
const keptUp = 0.97

const columns: [Column, ...Column[]] = [
  { key: 'cpu', label: 'CPU s per million delivered', digits: 2 },
  { key: 'p50', label: 'p50 ms', digits: 2 },
  { key: 'p95', label: 'p95 ms', digits: 1 },
  { key: 'reached', label: 'delivered per s', digits: 0 },
  { key: 'core', label: '% of a core', digits: 1 },
]

interface Load {
  name: string
  title: string
  rooms: number
  roomSize: number
  kind: 'update' | 'awareness'
  /** updates × readers per second that are offered */
  deliveredPerSecond: number
  /** Whether the first half minute after the start is measured, instead of a server that is warm. */
  cold?: boolean
  /** Whether the clients are present and renew that every 15 s, as stock clients do. */
  isPresent?: boolean
  /** Time at the row's own rate before it is measured, and for which it is measured. */
  settleSeconds?: number
  seconds?: number
  goals: Goal[]
}

/** A row in which a crowd writes at a steady rate for a while. */
export function steady (load: Load): Scenario {
  return {
    ...load,
    columns,
    without: [],
    timeoutSeconds: 400 + (load.settleSeconds ?? 0) * 5,
    run: async (setting) => await withFolder(async (folder) => await run(load, setting, folder)),
  }
}

async function run (load: Load, { kind, quick }: Setting, folder: string): Promise<Outcome> {
  const server = await startServer(kind, folder)
  const target = { port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }
  const crowd = new Crowd(target, load.rooms, load.roomSize, load.kind, load.isPresent)
  const perSecond = load.deliveredPerSecond / (load.roomSize - 1)
  const seconds = quick ? 3 : load.seconds ?? 15
  try {
    await crowd.join()
    if (load.cold !== true) await warmUp(crowd, load, perSecond, quick)
    crowd.delays.clear()
    crowd.worstLagMs = 0
    const before = {
      cpu: server.cpuSeconds,
      delivered: crowd.delivered,
      expected: crowd.expected,
      own: process.cpuUsage(),
      at: performance.now(),
    }
    await crowd.write(perSecond, seconds)
    const elapsed = (performance.now() - before.at) / 1000
    const inTime = crowd.delivered - before.delivered
    const own = process.cpuUsage(before.own)
    const busy = server.cpuSeconds - before.cpu
    const complete = await crowd.drain(drainTimeoutMs)
    const cpu = server.cpuSeconds - before.cpu
    const delivered = crowd.delivered - before.delivered
    const ownShare = (own.user + own.system) / 1e6 / elapsed
    const notes = explain(crowd, complete, inTime / elapsed / load.deliveredPerSecond, ownShare)
    const offered = crowd.expected - before.expected
    // Otherwise the CPU time is shared out among deliveries that were offered, and mostly paid for, before.
    if (delivered > offered) throw new Error(`${delivered} deliveries in a time in which ${offered} were offered: a backlog was measured`)
    return {
      figures: {
        cpu: delivered === 0 ? undefined : cpu / delivered * 1e6,
        p50: crowd.delays.quantile(0.5),
        p95: crowd.delays.quantile(0.95),
        reached: inTime / elapsed,
        core: busy / elapsed * 100,
      },
      notes,
    }
  } finally {
    crowd.leave()
    await server.stop()
  }
}

/**
 * Writes at the rate of the warm-up, then at the row's own, a second at a time: each step waits until everything is
 * delivered, so that a slow server does not start the measured time with a backlog.
 * @throws if it does not catch up
 */
async function warmUp (crowd: Crowd, load: Load, perSecond: number, quick: boolean): Promise<void> {
  const fast = Math.max(load.deliveredPerSecond, warmUpDeliveredPerSecond)
  const fastSeconds = quick ? 2 : Math.max(leastWarmUpSeconds, Math.ceil(warmUpDeliveries / fast))
  const rates = [
    ...Array<number>(fastSeconds).fill(fast / (load.roomSize - 1)),
    ...Array<number>(quick ? settleSeconds : load.settleSeconds ?? settleSeconds).fill(perSecond),
  ]
  for (const rate of rates) {
    await crowd.write(rate, 1)
    if (!await crowd.drain(catchUpTimeoutMs)) throw new Error(`it did not catch up with the warm-up in ${catchUpTimeoutMs / 1000} s`)
  }
  await delay(200)
}

function explain (crowd: Crowd, complete: boolean, kept: number, ownCores: number): string[] {
  const notes: string[] = []
  if (kept < keptUp) notes.push(`did not keep up: ${(kept * 100).toFixed(0)} % of what was offered`)
  if (!complete) notes.push(`${crowd.expected - crowd.delivered} deliveries were still missing ${drainTimeoutMs / 1000} s after the last was due; the delays are those of the others`)
  if (crowd.dropped.length > 0) notes.push(`${crowd.dropped.length} clients were closed (${[...new Set(crowd.dropped)].join(', ')})`)
  if (crowd.worstLagMs > notableLagMs) notes.push(`the load generator was late by up to ${crowd.worstLagMs.toFixed(0)} ms`)
  if (ownCores > 0.9) notes.push(`the load generator took ${(ownCores * 100).toFixed(0)} % of a core: it may be what was measured`)
  return notes
}
