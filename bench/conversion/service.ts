import { once } from 'node:events'
import { Agent, get, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Crowd } from '../load/crowd.ts'
import { DecodeCache } from '../load/decode-cache.ts'
import { Histogram } from '../load/histogram.ts'
import { describeServer, type RunningServer, startServer, withFolder } from '../servers.ts'
import type { Figure } from './figures.ts'
import { sampleMarkdown } from './sample.ts'

/** Updates per second in the room whose delays are measured, each read by one other client. */
const echoesPerSecond = 100
const clients = 200

/**
 * Measures what a conversion costs the other users of a service that runs as in production.
 * @param folder of the checkout, built
 */
export async function measureService (folder: string): Promise<Figure[]> {
  const kind = describeServer('ours', folder)
  if (typeof kind === 'string') throw new Error(kind)
  return await withFolder(async (data) => {
    const server = await startServer(kind, data)
    const crowd = new Crowd({ port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }, 1, 2, 'update')
    try {
      await crowd.join()
      const headers = kind.wire.headers
      const quiet = await echo(crowd, delay(3000))
      return [
        { name: 'p99 of an echo in a room while nothing is converted', value: quiet, unit: 'ms' },
        ...await convertLarge(server, headers, crowd),
        ...await convertAtOnce(server, headers),
      ]
    } finally {
      crowd.leave()
      await server.stop()
    }
  })
}

/** The p99 of the delays between two people in a room until a task has ended. */
async function echo (crowd: Crowd, end: Promise<unknown>): Promise<number> {
  crowd.delays.clear()
  const over = new AbortController()
  const ended = end.finally(() => over.abort())
  while (!over.signal.aborted) await crowd.write(echoesPerSecond, 0.1)
  await crowd.drain(5000)
  await ended
  return crowd.delays.quantile(0.99)
}

async function convertLarge (server: RunningServer, headers: Record<string, string>, crowd: Crowd): Promise<Figure[]> {
  const body = new TextEncoder().encode(sampleMarkdown(5_000_000))
  const cpu = server.cpuSeconds
  const client = new Worker(new URL('./client.js', import.meta.url), { execArgv: [], workerData: { port: server.port, headers, body } })
  // client.js posts exactly this, once; when it fails, `once` rejects.
  const converting = once(client, 'message') as Promise<[{ status: number, ms: number }]>
  const p99 = await echo(crowd, converting)
  const [{ status, ms }] = await converting
  if (status !== 200) throw new Error(`The large conversion was answered with ${status}`)
  return [
    { name: '5 MB of markdown to Yjs, from the request to the last byte', value: ms / 1000, unit: 's', limit: 4 },
    { name: 'p99 of an echo in another room meanwhile', value: p99, unit: 'ms', limit: 20 },
    { name: 'processor time of the service for both', value: server.cpuSeconds - cpu, unit: 's' },
    { name: 'highest resident memory of the service', value: server.resident.peak / 2 ** 20, unit: 'MB' },
  ]
}

async function convertAtOnce (server: RunningServer, headers: Record<string, string>): Promise<Figure[]> {
  const markdown = Buffer.from(sampleMarkdown(10_240))
  const pings = new Histogram()
  const agent = new Agent({ keepAlive: true })
  const over = new AbortController()
  const pinging = (async () => {
    while (!over.signal.aborted) {
      const start = performance.now()
      await ping(server.port, agent)
      pings.add(performance.now() - start)
      await delay(1)
    }
  })()
  const start = performance.now()
  const statuses = await Promise.all(Array.from({ length: clients }, () => convert(server.port, headers, markdown)))
  const seconds = (performance.now() - start) / 1000
  over.abort()
  await pinging
  agent.destroy()
  return [
    { name: `${clients} clients at once with 10 KB each: time to the last answer`, value: seconds, unit: 's' },
    { name: 'converted', value: statuses.filter((status) => status === 200).length, unit: 'answers 200' },
    { name: 'refused by the bounded queue', value: statuses.filter((status) => status === 503).length, unit: 'answers 503' },
    { name: 'any other answer', value: statuses.filter((status) => status !== 200 && status !== 503).length, unit: 'answers', limit: 1 },
    { name: 'p99 of /ping meanwhile', value: pings.quantile(0.99), unit: 'ms', limit: 50 },
  ]
}

/** Converts markdown to Yjs and reads the whole answer. @returns its status */
async function convert (port: number, headers: Record<string, string>, markdown: Buffer): Promise<number> {
  return await new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/convert/', agent: false, headers: { ...headers, 'content-type': 'text/markdown', 'content-length': markdown.length } })
    call.once('error', reject)
    call.once('response', (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
      answer.once('error', reject)
    })
    call.end(markdown)
  })
}

async function ping (port: number, agent: Agent): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/ping', agent }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve())
    }).once('error', reject)
  })
}
