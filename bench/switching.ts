/**
 * Compares two builds of this service, or one with a peer. Both run all the time and are loaded in turn, so that other
 * activity on the machine affects both. `npm run build` in each folder, then
 * `npx tsx bench/switching.ts FOLDER|SERVER FOLDER|SERVER [ROW]`. Prints CPU seconds per million deliveries.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Crowd } from './load/crowd.ts'
import { DecodeCache } from './load/decode-cache.ts'
import { describeServer, serverNames, startServer, type RunningServer } from './servers.ts'

const rows = {
  'fan-out-10k': { rooms: 1, people: 100, perSecond: 101 },
  'fan-out-100k': { rooms: 1, people: 100, perSecond: 1010 },
  'rooms-500': { rooms: 500, people: 4, perSecond: 1000 },
  // About half of the bench's row rooms-5000: 20,000 clients of two servers need more files than a process usually has.
  'rooms-2400': { rooms: 2400, people: 2, perSecond: 125, warmUpPerSecond: 10_000, turnSeconds: 12 },
}
const defaultTurnSeconds = 2
const turns = 40
/** Warm-up: code is compiled and caches are filled. */
const warmUpSeconds = 8
const drainMs = 5000

const [first, second, only] = process.argv.slice(2)
if (first === undefined || second === undefined) throw new Error('Name two servers, or folders with a build each.')

interface Row {
  readonly rooms: number
  readonly people: number
  readonly perSecond: number
  /** Updates per second of the warm-up, if the row has too few */
  readonly warmUpPerSecond?: number
  readonly turnSeconds?: number
}

interface Loaded { readonly server: RunningServer, readonly crowd: Crowd, readonly data: string }

console.log('row | first: CPU s per million deliveries | second | second / first: p25 / median / p75 of pairs of turns')
for (const [name, row] of Object.entries<Row>(rows)) {
  if (only !== undefined && only !== name) continue
  const [a, b] = [await load(first, row), await load(second, row)]
  for (const { crowd, server } of [a, b]) {
    await crowd.write(row.warmUpPerSecond ?? row.perSecond, warmUpSeconds)
    await server.rest()
  }
  const costs = { a: [] as number[], b: [] as number[] }
  for (let turn = 0; turn < turns / 2; turn++) {
    // Each build begins equally often.
    const order = turn % 2 === 0 ? [['a', a], ['b', b]] as const : [['b', b], ['a', a]] as const
    for (const [key, loaded] of order) costs[key].push(await measureTurn(loaded, row))
  }
  const ratios = costs.a.map((cost, turn) => costs.b[turn]! / cost).sort((x, y) => x - y)
  const at = (part: number): string => ratios[Math.floor(part * ratios.length)]!.toFixed(2)
  console.log([name, mean(costs.a), mean(costs.b), `${at(0.25)} / ${at(0.5)} / ${at(0.75)}`].join(' | '))
  for (const loaded of [a, b]) await end(loaded)
}
process.exit(0)

async function load (name: string, { rooms, people }: Row): Promise<Loaded> {
  const peer = serverNames.find((known) => known === name)
  const kind = describeServer(peer ?? 'ours', resolve(peer === undefined ? name : '.'))
  if (typeof kind === 'string') throw new Error(kind)
  const data = mkdtempSync(join(tmpdir(), 'switching-'))
  const server = await startServer(kind, data)
  const crowd = new Crowd({ port: server.port, wire: kind.wire, decode: new DecodeCache(kind.wire) }, rooms, people, 'update')
  await crowd.join()
  return { server, crowd, data }
}

/** @returns CPU seconds per million deliveries of one turn */
async function measureTurn (
  { server, crowd }: Loaded,
  { perSecond, turnSeconds = defaultTurnSeconds }: Row
): Promise<number> {
  const [cpu, delivered] = [server.cpuSeconds, crowd.delivered]
  await crowd.write(perSecond, turnSeconds)
  if (!await crowd.drain(drainMs)) throw new Error(`Not everything was delivered. Dropped: ${crowd.dropped.join(', ')}`)
  await delay(100) // for the remaining work, mainly commits
  return (server.cpuSeconds - cpu) / (crowd.delivered - delivered) * 1e6
}

async function end ({ server, crowd, data }: Loaded): Promise<void> {
  crowd.leave()
  await server.stop()
  rmSync(data, { recursive: true })
}

function mean (values: readonly number[]): string {
  return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(1)
}
