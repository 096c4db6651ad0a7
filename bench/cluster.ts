import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'redis'
import { startService } from '../test/crash/service.ts'
import { startRedis } from '../test/cluster/redis-server.ts'
import { startPostgres } from '../test/store/postgres-server.ts'
import { secret } from '../test/helper.ts'
import { Crowd } from './load/crowd.ts'
import { DecodeCache } from './load/decode-cache.ts'
import { yWebsocketWire } from './load/wire.ts'
import { readCpuSeconds } from './process-figures.ts'

/*
 * What several nodes cost: node --import tsx bench/cluster.ts [seconds] [nodes,nodes,…] [updates per second]
 *
 * One crowd, spread over the nodes one by one, so that a room of twenty is on all of up to twenty nodes: the worst placement
 * there is. Each figure is per update delivered to a reader. Redis counts its bytes itself.
 */
const [seconds = 10, , perSecond = 2000] = process.argv.slice(2).map(Number)
const counts = (process.argv[3] ?? '1,2,3,4').split(',').map(Number)
const rooms = 50
const roomSize = 20

interface Costs { readonly nodes: number, readonly redis: number, readonly postgres: number }

for (const count of counts) await measure(count)

async function measure (count: number): Promise<void> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()])
  const databaseUrl = await postgres.makeSchema('y_provider')
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, MAX_MESSAGES_PER_SECOND: '0' }
  const services = await Promise.all(Array.from({ length: count }, () => startService('', env)))
  const redisInfo = await createClient({ url: redis.url }).connect()
  const wire = yWebsocketWire('/collaboration/ws/', { Authorization: secret })
  const decode = new DecodeCache(wire)
  const crowd = new Crowd((member) => ({ port: services[member % count]?.port ?? 0, wire, decode }), rooms, roomSize, 'update')
  try {
    await crowd.join()
    await crowd.write(perSecond, 6)
    await crowd.drain(5000)
    await delay(500)
    crowd.delays.clear()
    const cpu = async (): Promise<Costs> => ({
      nodes: services.reduce((sum, { pid }) => sum + readCpuSeconds(pid), 0),
      redis: readCpuSeconds(redis.pid()),
      postgres: await postgresCpuSeconds(postgres.socket),
    })
    const bytesBefore = netBytes(await redisInfo.info('stats'))
    const [before, delivered, written] = [await cpu(), crowd.delivered, crowd.writtenBytes]
    await crowd.write(perSecond, seconds)
    await crowd.drain(5000)
    const after = await cpu()
    const bytesAfter = netBytes(await redisInfo.info('stats'))
    const perMillion = (kind: keyof Costs): string => ((after[kind] - before[kind]) / (crowd.delivered - delivered) * 1e6).toFixed(1)
    const interested = (crowd.writtenBytes - written) * (count - 1)
    const ratio = (bytes: number): string => interested === 0 ? '-' : (bytes / interested).toFixed(2)
    console.log(JSON.stringify({
      nodes: count,
      deliveredPerSecond: Math.round((crowd.delivered - delivered) / seconds),
      missing: crowd.expected - crowd.delivered,
      cpuSecondsPerMillionDelivered: { nodes: perMillion('nodes'), redis: perMillion('redis'), postgres: perMillion('postgres') },
      p50Ms: crowd.delays.quantile(0.5),
      p95Ms: crowd.delays.quantile(0.95),
      busBytesPerUpdateByteAndInterestedNode: { in: ratio(bytesAfter.in - bytesBefore.in), out: ratio(bytesAfter.out - bytesBefore.out) },
      updateBytes: crowd.writtenBytes - written,
      generatorLagMs: Math.round(crowd.worstLagMs),
    }))
  } finally {
    crowd.leave()
    redisInfo.destroy()
    await Promise.all(services.map((service) => service.stop('SIGKILL')))
    await Promise.all([redis.remove(), postgres.stop()])
  }
}

function netBytes (info: string): { in: number, out: number } {
  const read = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? NaN)
  return { in: read('total_net_input_bytes'), out: read('total_net_output_bytes') }
}

/** Of the server and all that it has started; its connections live through the measurement. */
async function postgresCpuSeconds (data: string): Promise<number> {
  const server = Number(readFileSync(`${data}/postmaster.pid`, 'utf8').split('\n')[0])
  const children = readFileSync(`/proc/${server}/task/${server}/children`, 'utf8').trim().split(' ').map(Number)
  return [server, ...children].reduce((sum, pid) => sum + readCpuSeconds(pid), 0)
}
