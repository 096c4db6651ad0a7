import t from 'tap'
import * as Y from 'yjs'
import { closes, reasonFor } from '../../src/protocol/close-codes.ts'
import { answer, routes, startDjango } from '../access/django.ts'
import { listen } from '../helper.ts'
import { freePort } from '../free-port.ts'
import { Engine, until } from '../sync/engine.ts'
import { startService } from './service.ts'
import { readDocument } from '../clients/acknowledged-client.ts'
import { connectBare } from '../clients/bare-client.ts'
import { connectHocuspocus } from '../clients/hocuspocus-client.ts'
import { about, bytes } from '../clients/messages.ts'
import { connectYWebsocket } from '../clients/y-websocket-client.ts'

const writersOfEachKind = 6

t.test('A rollout under load: stock clients reconnect on their own, and nothing is lost', async (t) => {
  const folder = t.testdir()
  const port = await freePort()
  const env = { PORT: String(port) }
  const first = await startService(folder, env)
  t.teardown(() => first.stop('SIGKILL'))
  const url = `ws://127.0.0.1:${port}`
  const clients = ['a', 'b'].flatMap((room) => Array.from({ length: writersOfEachKind / 2 }, () => [
    { room, ...connectYWebsocket(t, url, room, { isPatient: true }) },
    { room, ...connectHocuspocus(t, url, room, { isPatient: true }) },
  ]).flat())
  await Promise.all(clients.map(({ provider }) => synced(provider)))
  const typing = clients.map(({ doc }, writer) => {
    let count = 0
    const timer = setInterval(() => { doc.getArray('words').push([`${writer}.${count++}`]) }, 5)
    t.teardown(() => { clearInterval(timer) })
    return { stop: () => { clearInterval(timer) }, words: () => Array.from({ length: count }, (_, i) => `${writer}.${i}`) }
  })
  // Until the new process listens, some clients also find a closed port.
  const codes = new Map<number, number>()
  clients.forEach(({ provider }, i) => {
    const note = (event: unknown): void => { if (!codes.has(i)) codes.set(i, closeCodeOf(event)) }
    if ('bcChannel' in provider) provider.on('connection-close', note)
    else provider.configuration.websocketProvider.on('close', note)
  })
  const restarted = clients.map(({ provider }) => syncedAgain(provider))
  await Promise.all(clients.map(({ doc }) => grown(doc)))
  t.equal(await first.stop('SIGTERM'), 0)
  const second = await startService(folder, env)
  t.teardown(() => second.stop('SIGKILL'))
  await Promise.all(restarted)
  for (const { stop } of typing) stop()
  t.same([...codes.values()], clients.map(() => closes.restart.code), 'all clients were told that the service restarts')
  for (const room of ['a', 'b']) {
    const expected = clients.flatMap((client, i) => client.room === room ? typing[i]?.words() ?? [] : []).sort()
    await Promise.all(clients.filter((client) => client.room === room).map(({ doc }) => holds(doc, expected.length)))
    const kept = await readDocument(port, room)
    // only strings were inserted
    t.same((kept.getArray('words').toArray() as string[]).sort(), expected, `${room}: each word once`)
  }
  t.equal(await second.stop('SIGTERM'), 0)
})

t.test('Many connections are closed one after the other, and work until then', async (t) => {
  const engine = new Engine()
  const peers = await Promise.all(Array.from({ length: 40 }, (_, i) => engine.joinLive(`room ${i % 4}`)))
  const closing = engine.rooms.close(closes.restart, 1000, 200)
  const gone = (): number => peers.filter(({ closed }) => closed !== undefined).length
  const steps = new Set<number>()
  let wrote = false
  await until(() => {
    steps.add(gone())
    const last = peers.findLast(({ closed }) => closed === undefined)
    if (gone() >= 10 && !wrote && last !== undefined) {
      wrote = true
      last.update(Y.encodeStateAsUpdate(docWith('typed while others were disconnected')))
    }
    return gone() === peers.length
  })
  await closing
  t.ok(steps.size > 3, `they close in steps: ${[...steps].join(', ')}`)
  t.ok(wrote)
  t.ok([...engine.store.documents.values()].some(({ log }) => log.length === 1), 'the last change is stored')
  t.ok(peers.every(({ closed }) => closed?.code === 1012))
})

t.test('The close reason says when to reconnect, at a different time for each client', async (t) => {
  t.equal(reasonFor({ ...closes.restart, retryWithinMs: 5000 }, () => 0.5), 'Service restart, retry in 2500 ms')
  t.equal(reasonFor(closes.forbidden), closes.forbidden.reason, 'a permanent close has no hint')
  for (const close of Object.values(closes)) {
    const reason = reasonFor({ ...close, retryWithinMs: Number.MAX_SAFE_INTEGER }, () => 1)
    t.ok(Buffer.byteLength(reason) <= 123, close.reason)
  }
})

t.test('A client that connects while Django is down is told when to retry, in both protocols', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 503, {}) }))
  const { wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  for (const path of ['r', '?room=r']) {
    const client = connectBare(t, `${wsUrl}/collaboration/ws/${path}`, { cookie: 'sessionid=s' })
    await client.until(({ isOpen, closed }) => isOpen || closed !== undefined)
    if (path !== 'r') client.ws.send(about('r', bytes(0, 0, Uint8Array.of(0))))
    await client.until(({ closed }) => closed !== undefined)
    t.match(client.closed, { code: 4503, reason: /^The backend gave no answer, try again later, retry in \d+ ms$/ })
  }
})

type Provider = ReturnType<typeof connectYWebsocket>['provider'] | ReturnType<typeof connectHocuspocus>['provider']

function synced (provider: Provider): Promise<void> {
  return provider.synced ? Promise.resolve() : syncedAgain(provider)
}

/** Resolves when the provider is next in sync. */
function syncedAgain (provider: Provider): Promise<void> {
  return new Promise((resolve) => {
    if ('bcChannel' in provider) {
      const look = (isSynced: boolean): void => {
        if (!isSynced) return
        provider.off('sync', look)
        resolve()
      }
      provider.on('sync', look)
    } else {
      const look = ({ state }: { state: boolean }): void => {
        if (!state) return
        provider.off('synced', look)
        resolve()
      }
      provider.on('synced', look)
    }
  })
}

/** Resolves when the document has a few more words than now. */
const grown = (doc: Y.Doc): Promise<void> => holds(doc, doc.getArray('words').length + 30)

function holds (doc: Y.Doc, length: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (doc.getArray('words').length < length) return
      doc.off('update', look)
      resolve()
    }
    doc.on('update', look)
    look()
  })
}

function docWith (text: string): Y.Doc {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return doc
}

/** y-websocket passes the event itself, Hocuspocus an object that contains it; both are a browser's CloseEvent. */
function closeCodeOf (event: unknown): number {
  if (typeof event !== 'object' || event === null) return 0
  if ('event' in event) return closeCodeOf(event.event)
  return 'code' in event && typeof event.code === 'number' ? event.code : 0
}
