import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { Known } from '../../src/update/known.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Client } from '../clients/client.ts'
import { connect, type Kind } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { asDjango } from '../helper.ts'
import { quiet } from '../store/quiet-logger.ts'
import { startNodes } from './nodes.ts'

/* Three nodes over one PostgreSQL and one Redis; documents are deleted on the first one. */
const cluster = await startNodes(3)
t.teardown(() => cluster.stop())
const { ports, redisLinks, databaseUrl } = cluster
const store = await openPostgresStore({ url: databaseUrl, logger: quiet })
t.teardown(() => store.close())

const kindOf: readonly Kind[] = ['y-websocket 3', 'Hocuspocus 4', 'Hocuspocus 2']

/** A client on one of the nodes. */
function join (t: Test, node: number, room: string, doc = new Y.Doc()): Client {
  const kind = kindOf[node] ?? 'y-websocket 3'
  return connect(t, { kind, wsUrl: `ws://127.0.0.1:${ports[node]}`, room, headers: asDjango, doc })
}

async function request (method: string, room: string, node = 0): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ports[node]}/collaboration/api/documents/${room}/`, { method, headers: asDjango })
  await response.arrayBuffer()
  return response.status
}

const isSentAway = ({ record, wantsToConnect }: Client): boolean => record.denied.length > 0 || !wantsToConnect()
const sentAway = (...clients: Client[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client.until(() => isSentAway(client))))

/** Makes everybody type a word every few ms until stopped. */
function typing (clients: readonly Client[]): () => void {
  let count = 0
  const timer = setInterval(() => { for (const { text } of clients) text.insert(0, `${count++} `) }, 10)
  return () => { clearInterval(timer) }
}

await t.test('A document is deleted while people type on three nodes: nothing of it is stored any more', async (t) => {
  const room = 'busy'
  const clients = ports.map((_, node) => join(t, node, room))
  const stop = typing(clients)
  t.teardown(stop)
  await Promise.all(clients.map((client) => client.until(() => client.text.length > 300)))
  t.equal(await request('DELETE', room), 204)
  await sentAway(...clients)
  stop()
  for (const node of [0, 1, 2]) t.equal(await request('GET', room, node), 410)
  t.equal(await store.load(room), undefined)
  t.equal(await request('DELETE', room, 1), 410)

  // Each page was the only one to know what it had typed last.
  const clientsOf = async (): Promise<Known> => Known.decode((await store.tombstone(room))?.deleted ?? new Uint8Array())
  await eventually(async () => {
    const known = await clientsOf()
    return clients.every(({ doc }) => known.stateVector.get(doc.clientID) > 0)
  })

  const fresh = new Y.Doc()
  fresh.getText('t').insert(0, 'new ')
  t.ok(await store.create(room, Y.encodeStateAsUpdate(fresh)))
  const pages = ports.map((_, node) => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(clients[node]?.doc ?? fresh))
    return join(t, node, room, doc)
  })
  await sentAway(...pages)
  const newcomers = ports.map((_, node) => join(t, node, room))
  await Promise.all(newcomers.map((client) => client.until(() => client.text.toString() === 'new ')))
  newcomers[1]?.text.insert(4, 'text')
  await Promise.all(newcomers.map((client) => client.until(() => client.text.toString() === 'new text')))
  t.notOk(newcomers.some(isSentAway))
})

await t.test('Deleted and created again at once, it has nothing of before, whoever types', async (t) => {
  for (let round = 0; round < 3; round++) {
    const room = `again-${round}`
    const clients = ports.map((_, node) => join(t, node, room))
    const stop = typing(clients)
    await Promise.all(clients.map((client) => client.until(() => client.text.length > 100)))
    const fresh = new Y.Doc()
    fresh.getText('new').insert(0, 'new')
    const created = (async () => { while (!await store.create(room, Y.encodeStateAsUpdate(fresh))); })()
    t.equal(await request('DELETE', room, round), 204)
    await created
    await sentAway(...clients)
    stop()
    const stored = await store.load(room)
    t.equal(stored?.log.length, 1)
    const doc = new Y.Doc()
    for (const { update } of stored?.log ?? []) Y.applyUpdate(doc, update)
    t.same([doc.getText('new').toString(), doc.getText('t').toString()], ['new', ''])
    for (const client of clients) client.destroy()
  }
})

await t.test('A node that is unreachable finds out from the store, and is told when it is back', async (t) => {
  const [typed, idle] = [join(t, 1, 'typed'), join(t, 1, 'idle')]
  for (const client of [typed, idle]) {
    await client.synced()
    client.text.insert(0, 'text ')
    await client.until(() => client.unsyncedChanges() === 0)
  }
  redisLinks[1]?.cut()
  for (const room of ['typed', 'idle']) t.equal(await request('DELETE', room), 204, 'it is deleted all the same')
  typed.text.insert(0, 'more ')
  await sentAway(typed)
  redisLinks[1]?.restore()
  await sentAway(idle)
  for (const room of ['typed', 'idle']) t.equal(await store.load(room), undefined)
})
