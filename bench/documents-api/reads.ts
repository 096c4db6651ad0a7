import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { HonestPair } from '../attacks/honest-pair.ts'
import { Histogram } from '../load/histogram.ts'
import type { RunningServer } from '../servers.ts'
import { mediaTypes, pathOf } from './stored.ts'

/** Connections for reads at a rate, and for reads in a row. */
const connectionsAtRate = 32
const connectionsInARow = 8

/** The documents to read, in which format, and at which rate. */
export interface ReadPlan {
  readonly rooms: readonly string[]
  readonly format: keyof typeof mediaTypes
  /** reads a second; undefined: eight at a time, as many as the service can answer */
  readonly perSecond?: number
  readonly ms: number
}

/** The times and the cost of reads; all times in ms. */
export interface ReadFigures {
  readonly perSecond: number
  /** bytes of an answer */
  readonly bytes: number
  readonly refused: number
  readonly p50: number
  readonly p99: number
  /** processor time of the service for one read */
  readonly cpu: number
  /** p99 of the honest pair, before and during the reads */
  readonly calm: number
  readonly disturbed: number
}

/** The message that the thread posts at its end. */
interface Answers {
  readonly delays: Float64Array
  readonly refused: number
  readonly bytes: number
  readonly ms: number
}

/** Measures the honest pair for as long as the reads take, first without them and then with them. */
export async function measureReads (server: RunningServer, pair: HonestPair, plan: ReadPlan): Promise<ReadFigures> {
  const calm = await pair.measureWhile(delay(plan.ms))
  const cpuBefore = server.cpuSeconds
  const reading = read(server, plan)
  const disturbed = await pair.measureWhile(reading)
  const { delays, refused, bytes, ms } = await reading
  const cpuSeconds = server.cpuSeconds - cpuBefore
  const histogram = new Histogram()
  for (const each of delays) histogram.add(each)
  return {
    perSecond: (delays.length - refused) / ms * 1000,
    bytes: bytes / delays.length,
    refused,
    p50: histogram.quantile(0.5),
    p99: histogram.quantile(0.99),
    cpu: cpuSeconds * 1000 / delays.length,
    calm: calm.quantile(0.99),
    disturbed: disturbed.quantile(0.99),
  }
}

/** Reads in a thread. @throws its error */
export async function read (server: RunningServer, { rooms, format, perSecond, ms }: ReadPlan): Promise<Answers> {
  const thread = new Worker(new URL('./reader.js', import.meta.url), {
    execArgv: [],
    workerData: {
      port: server.port,
      headers: { ...server.wire.headers, accept: mediaTypes[format] },
      paths: rooms.map(pathOf),
      connections: perSecond === undefined ? connectionsInARow : connectionsAtRate,
      perSecond,
      ms,
    },
  })
  // reader.js posts exactly this, once; when it fails, `once` rejects.
  const [answers] = await once(thread, 'message') as [Answers]
  return answers
}
