/** The list of documents, and who is in them, on three nodes. */
import t, { type Test } from 'tap'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openBare } from '../clients/bare-client.ts'
import type { Client } from '../clients/client.ts'
import { connect, type Kind } from '../clients/connect.ts'
import { asDjango } from '../helper.ts'
import { quiet } from '../store/quiet-logger.ts'
import { answers, ask, startNodes } from './nodes.ts'

const cluster = await startNodes(3)
t.teardown(() => cluster.stop())
const { ports, redisLinks, databaseUrl } = cluster
const store = await openPostgresStore({ url: databaseUrl, logger: quiet, connections: 2 })
t.teardown(() => store.close())

const api = '/collaboration/api/documents/'
const isReady = ({ status }: { status: number }): boolean => status === 200
for (const port of ports) await answers(port, '/health/ready', isReady)

/** Opens a document on a node. */
async function open (t: Test, node: number, kind: Kind, room: string, user: string): Promise<Client> {
  const client = connect(t, { kind, wsUrl: `ws://127.0.0.1:${ports[node]}`, room, headers: { ...asDjango, 'x-user-id': user } })
  client.awareness.setLocalState({ user: { name: user } })
  await client.synced()
  return client
}

interface Connection { userId: string, node: string, protocol: string, since: string, presence: unknown }
interface Page { connections: Connection[], next: string | null }

/** All connections of a room, as a node lists them in pages of this length. */
async function listed (node: number, room: string, limit: number): Promise<Connection[]> {
  const connections: Connection[] = []
  for (let after = ''; ;) {
    const { status, body } = await ask(ports[node], `${api}${room}/connections/?limit=${limit}${after}`)
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
    const page = body as Page // the schema of the route
    if (page.connections.length > limit) throw new Error('The page is longer than its limit')
    connections.push(...page.connections)
    if (page.next === null) return connections
    after = `&after=${page.next}`
  }
}

await t.test('Every node lists the connections of all nodes, of both protocols, in the same order', async (t) => {
  const clients = [
    await open(t, 0, 'y-websocket 3', 'shared', 'Ada'),
    await open(t, 2, 'Hocuspocus 4', 'shared', 'Bo'),
    await open(t, 1, 'Hocuspocus 2', 'shared', 'Cy'),
    await open(t, 0, 'Hocuspocus 3', 'shared', 'Di'),
  ]
  await Promise.all(clients.map((client) => client.until(() => client.awareness.states.size === 4)))
  await open(t, 1, 'y-websocket 3', 'other', 'Ed')
  const all = await listed(0, 'shared', 100)
  t.same(all.map(({ userId, protocol, presence }) => ({ userId, protocol, presence })), clients.map(({ doc }, at) => {
    const userId = ['Ada', 'Bo', 'Cy', 'Di'][at]
    const presence = [{ clientId: doc.clientID, state: { user: { name: userId } } }]
    return { userId, protocol: at === 0 ? 'y-websocket' : 'hocuspocus', presence }
  }))
  t.same(all.map(({ node }) => all.findIndex((other) => other.node === node)), [0, 1, 2, 0], 'each node has its name')
  for (const node of [0, 1, 2]) {
    for (const limit of [1, 3, 100]) t.same(await listed(node, 'shared', limit), all, `node ${node}, ${limit} on a page`)
  }
})

await t.test('A list of documents counts the connections of all nodes', async (t) => {
  await store.append(['counted', 'counted/quiet'].map((document) => ({ document, update: Uint8Array.of(0, 0) })))
  const clients = [
    await open(t, 0, 'y-websocket 3', 'counted', 'Ada'),
    await open(t, 1, 'Hocuspocus 4', 'counted', 'Bo'),
    await open(t, 2, 'Hocuspocus 4', 'counted', 'Ada'),
    await open(t, 2, 'y-websocket 3', 'counted/new', 'Ada'),
  ]
  for (const port of ports) {
    for (const [query, expected] of [
      ['?prefix=counted', [['counted', 3], ['counted/quiet', 0]]],
      ['?room=counted/new&room=counted&room=unknown', [['counted/new', 1], ['counted', 3]]],
    ] as const) {
      const { body } = await ask(port, api + query)
      // The schema of the route.
      const { documents } = body as { documents: Array<{ name: string, connections: number }> }
      t.same(documents.map(({ name, connections }) => [name, connections]), expected)
    }
  }
  clients[0]?.destroy()
  await answers(ports[1], `${api}?room=counted`, ({ body }) => JSON.stringify(body).includes('"connections":2'))
})

await t.test('A reset through one node closes the connections of a user on all nodes', async (t) => {
  const sockets = await Promise.all(ports.flatMap((port) => ['Ada', 'Bo'].map(async (user) => {
    return await openBare(t, `ws://127.0.0.1:${port}/collaboration/ws/reset`, { ...asDjango, 'x-user-id': user })
  })))
  await answers(ports[0], `${api}?room=reset`, ({ body }) => JSON.stringify(body).includes('"connections":6'))
  t.equal((await ask(ports[0], `${api}reset/connections/?user=Ada`, 'DELETE')).status, 200)
  for (const [at, socket] of sockets.entries()) {
    if (at % 2 === 1) continue
    await socket.until(({ closed }) => closed !== undefined)
    t.equal(socket.closed?.code, 4205)
  }
  t.same((await listed(1, 'reset', 100)).map(({ userId }) => userId), ['Bo', 'Bo', 'Bo'])
})

await t.test('While a node cannot be asked, the answer is 503, and names it', async (t) => {
  await store.append([{ document: 'asked', update: Uint8Array.of(0, 0) }])
  redisLinks[1]?.cut()
  for (const path of [api, `${api}?room=asked`, `${api}asked/connections/`]) {
    const { status, body } = await ask(ports[0], path)
    t.equal(status, 503, path)
    t.match(body, { error: /^Not every node of the service has answered: try again \(.*:\d+\)$/ })
  }
  redisLinks[1]?.restore()
  await answers(ports[0], `${api}asked/connections/`, isReady)
})
