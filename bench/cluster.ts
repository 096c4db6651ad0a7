import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from 'redis'
import { startService, type Service } from '../test/crash/service.ts'
import { startRedis } from '../test/cluster/redis-server.ts'
import { startPostgres } from '../test/store/postgres-server.ts'
import { secret } from '../test/helper.ts'
import { Crowd } from './load/crowd.ts'
import { DecodeCache } from './load/decode-cache.ts'
import { yWebsocketWire } from './load/wire.ts'
import { readCpuSeconds } from './process-figures.ts'

/*
 * The cost of several nodes: npm run build && node --import tsx bench/cluster.ts [options]
 *
 * One crowd over all nodes, with each member of a room on a random node. `--placement spread` places members one by
 * one, so that a room is on as many nodes as possible. `--placement room` puts each room on one node, which shows the
 * cost of several processes without any exchange between them. CPU is per update delivered to a reader; Redis counts
 * its own bytes.
 */
const { values: options } = parseArgs({
  options: {
    /**
     * Services to measure: numbers of nodes over PostgreSQL and Redis; `lmdb` is one node with the embedded store and
     * without Redis
     */
    nodes: { type: 'string', default: 'lmdb,1,2,4' },
    rooms: { type: 'string', default: '50' },
    size: { type: 'string', default: '20' },
    /** Updates per second, in total */
    rate: { type: 'string', default: '2000' },
    /** `total`: all nodes share the rooms and the rate. `node`: each node adds as many, as it adds users */
    load: { type: 'string', default: 'total' },
    seconds: { type: 'string', default: '10' },
    placement: { type: 'string', default: 'random' },
    /** Seconds of warm-up: a new process spends much of its time compiling */
    'warm-up': { type: 'string', default: '16' },
    /** Options of Node itself, such as --cpu-prof */
    flags: { type: 'string' },
  },
})
const [roomSize, seconds] = [Number(options.size), Number(options.seconds)]
const warmUpSeconds = Number(options['warm-up'])

interface Costs { readonly nodes: number, readonly redis: number, readonly postgres: number }
interface Bytes { readonly in: number, readonly out: number }

/** Nodes, and the servers they depend on. */
interface Place {
  readonly services: readonly Service[]
  cpu (): Promise<Costs>
  busBytes (): Promise<Bytes>
  stop (): Promise<void>
}

async function measure (kind: string): Promise<void> {
  const share = options.load === 'node' && kind !== 'lmdb' ? Number(kind) : 1
  const [rooms, perSecond] = [Number(options.rooms) * share, Number(options.rate) * share]
  const place = kind === 'lmdb' ? await startAlone() : await startNodes(Number(kind))
  const { services } = place
  const node = placement(services.length, rooms)
  const wire = yWebsocketWire('/collaboration/ws/', { Authorization: secret })
  const decode = new DecodeCache(wire)
  const crowd = new Crowd((member) => ({ port: services[node(member)]?.port ?? 0, wire, decode }), rooms, roomSize, 'update')
  try {
    await crowd.join()
    await crowd.write(perSecond, warmUpSeconds)
    await crowd.drain(5000)
    await delay(500)
    crowd.delays.clear()
    const [before, busBefore] = [await place.cpu(), await place.busBytes()]
    const { delivered, writtenBytes } = crowd
    await crowd.write(perSecond, seconds)
    await crowd.drain(5000)
    const [after, busAfter] = [await place.cpu(), await place.busBytes()]
    const perMillion = (of: keyof Costs): number =>
      Number(((after[of] - before[of]) / (crowd.delivered - delivered) * 1e6).toFixed(2))
    // All members write equally often and equally much.
    const interested = (crowd.writtenBytes - writtenBytes) * meanInterested(node, rooms)
    const ratio = (of: keyof Bytes): number | undefined =>
      interested === 0 ? undefined : Number(((busAfter[of] - busBefore[of]) / interested).toFixed(2))
    console.log(JSON.stringify({
      service: kind === 'lmdb' ? 'one node, embedded store, no Redis' : `${kind} nodes, PostgreSQL, Redis`,
      deliveredPerSecond: Math.round((crowd.delivered - delivered) / seconds),
      missing: crowd.expected - crowd.delivered,
      cpuSecondsPerMillionDelivered: { nodes: perMillion('nodes'), redis: perMillion('redis'), postgres: perMillion('postgres') },
      p50Ms: crowd.delays.quantile(0.5),
      p95Ms: crowd.delays.quantile(0.95),
      bytesOfAnUpdate: Number(((crowd.writtenBytes - writtenBytes) / (perSecond * seconds)).toFixed(1)),
      otherNodesInterested: Number(meanInterested(node, rooms).toFixed(2)),
      busBytesPerUpdateByteAndInterestedNode: { intoRedis: ratio('in'), outOfRedis: ratio('out') },
      generatorLagMs: Math.round(crowd.worstLagMs),
    }))
  } finally {
    crowd.leave()
    await place.stop()
  }
}

// ---- placement

/** @returns the node of each member, the same in each run */
function placement (nodes: number, rooms: number): (member: number) => number {
  if (options.placement === 'spread') return (member) => member % nodes
  if (options.placement === 'room') return (member) => Math.floor(member / roomSize) % nodes
  let state = 4711
  const drawn = Array.from({ length: rooms * roomSize }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * nodes)
  })
  return (member) => drawn[member] ?? 0
}

/** The average number of other nodes on which an update's room is open. */
function meanInterested (node: (member: number) => number, rooms: number): number {
  let sum = 0
  for (let room = 0; room < rooms; room++) {
    sum += new Set(Array.from({ length: roomSize }, (_, seat) => node(room * roomSize + seat))).size - 1
  }
  return sum / rooms
}

// ---- the services

const startOne = (folder: string, env: Record<string, string>): Promise<Service> =>
  startService(folder, { MAX_MESSAGES_PER_SECOND: '0', ...env }, options.flags === undefined ? [] : ['bash', '-c', `exec "$0" ${options.flags} "$@"`])

const cpuOf = (services: readonly Service[]): number => services.reduce((sum, { pid }) => sum + readCpuSeconds(pid), 0)
/** Stops them cleanly if a profile is to be written. */
const stopAll = (services: readonly Service[]): Promise<unknown> => Promise.all(services.map((service) => service.stop(options.flags === undefined ? 'SIGKILL' : 'SIGTERM')))

async function startAlone (): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'y-bench-'))
  const services = [await startOne(folder, {})]
  return {
    services,
    cpu: async () => ({ nodes: cpuOf(services), redis: 0, postgres: 0 }),
    busBytes: async () => ({ in: 0, out: 0 }),
    stop: async () => {
      await stopAll(services)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startNodes (count: number): Promise<Place> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  const databaseUrl = await postgres.makeSchema('y_provider')
  const services = await Promise.all(Array.from({ length: count }, () => startOne('', { DATABASE_URL: databaseUrl, REDIS_URL: redis.url })))
  const redisInfo = await createClient({ url: redis.url }).connect()
  return {
    services,
    cpu: async () => ({
      nodes: cpuOf(services),
      redis: readCpuSeconds(redis.pid()),
      postgres: postgresCpuSeconds(postgres.socket),
    }),
    busBytes: async () => netBytes(await redisInfo.info('stats')),
    stop: async () => {
      redisInfo.destroy()
      await stopAll(services)
      await Promise.all([redis.remove(), postgres.stop()])
    },
  }
}

function netBytes (info: string): Bytes {
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? NaN)
  return { in: read('total_net_input_bytes'), out: read('total_net_output_bytes') }
}

/** CPU of the server and all its children; its connections live through the measurement. */
function postgresCpuSeconds (data: string): number {
  const server = Number(readFileSync(`${data}/postmaster.pid`, 'utf8').split('\n')[0])
  const children = readFileSync(`/proc/${server}/task/${server}/children`, 'utf8').trim().split(' ').map(Number)
  return [server, ...children].reduce((sum, pid) => sum + readCpuSeconds(pid), 0)
}

for (const kind of options.nodes.split(',')) await measure(kind)
