import t from 'tap'
import { startService } from '../crash/service.ts'
import { asDjango } from '../helper.ts'
import { answers, ask, startNodes } from './nodes.ts'
import { openBare, type BareClient } from '../clients/bare-client.ts'
import { about, bytes } from '../clients/messages.ts'

/*
 * Two nodes, and a socket on the second one without a document: a reset on the first node reaches it, even if that
 * node had never heard of the second when it was asked.
 */
const cluster = await startNodes(2)
t.teardown(() => cluster.stop())
const { ports, redis, redisLinks, databaseUrl } = cluster

/** Admitted by the proxy, and without a document. */
async function idle (room: string): Promise<BareClient> {
  const client = await openBare(t, `ws://127.0.0.1:${ports[1]}/collaboration/ws/?room=${room}`, { ...asDjango, 'x-user-id': 'revoked' })
  client.ws.send(about(room, bytes(2, 0, '')))
  await client.until(({ heard }) => heard.length > 0)
  client.ws.send(about(room, bytes(7, 'bye')))
  return client
}

const reset = async (port: number | undefined, room: string): Promise<number> => (await ask(port, `/collaboration/api/reset-connections/?room=${room}`, 'POST')).status

await t.test('A reset reaches a socket on another node', async (t) => {
  const client = await idle('there')
  t.equal(await reset(ports[0], 'there'), 200)
  await client.until(({ closed }) => closed !== undefined)
  t.equal(client.closed?.code, 4205)
})

await t.test('A reset reaches a node that is unreachable for a while and unknown to the node that receives the request', async (t) => {
  const [known, unknown] = [await idle('known'), await idle('unknown')]
  redisLinks[1]?.cut()
  t.equal(await reset(ports[0], 'known'), 503)
  const newcomer = await startService('', { DATABASE_URL: databaseUrl, REDIS_URL: `redis://127.0.0.1:${redis.port}` })
  t.teardown(() => newcomer.stop('SIGKILL'))
  await answers(newcomer.port, '/health/ready', ({ status }) => status === 200)
  t.equal(await reset(newcomer.port, 'unknown'), 200)
  t.ok(known.isOpen && unknown.isOpen)
  redisLinks[1]?.restore()
  for (const client of [known, unknown]) {
    await client.until(({ closed }) => closed !== undefined)
    t.equal(client.closed?.code, 4205)
  }
})
