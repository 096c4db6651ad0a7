/** The behaviour of refused clients, and their cost to Django. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { answer, mayEdit } from '../access/django.ts'
import { asDjango } from '../helper.ts'
import { start } from './refusing-django.ts'
import { mint } from './tickets.ts'
import { openBare, connectBare, type BareClient } from '../clients/bare-client.ts'
import { connect } from '../clients/connect.ts'
import { hocuspocusKinds, openHocuspocusSocket } from '../clients/hocuspocus-client.ts'
import { about, bytes, read } from '../clients/messages.ts'

const cookie = (session: string) => ({ cookie: `sessionid=${session}` })
const auth = (name: string, token = '') => about(name, bytes(2, 0, token))
const isDenied = (message: Uint8Array): boolean => read(message).type === 2 && read(message).rest[0] === 1

async function reset (app: FastifyInstance, room: string, user?: string): Promise<void> {
  await app.inject({ method: 'POST', url: `/collaboration/api/reset-connections/?room=${room}`, headers: { ...asDjango, ...(user !== undefined && { 'x-user-id': user }) } })
}

/** Resolves when the server has processed everything sent before. */
async function isSeen ({ ws }: Pick<BareClient, 'ws'>): Promise<void> {
  await new Promise((resolve) => { ws.once('pong', resolve).ping() })
}

for (const kind of ['Hocuspocus 3', 'Hocuspocus 4'] as const) {
  t.test(`${kind}: a refused page reconnects only after it has received nothing for so long that it gives up its socket`, async (t) => {
    const { wsUrl, django } = await start(t)
    // Of its 30 s and 1 s: Django is asked 120 times in an hour at most.
    const socket = openHocuspocusSocket(t, kind, wsUrl, { room: 'r', headers: cookie('s'), silenceMs: 30 })
    const client = connect(t, { kind, wsUrl, room: 'r', socket })
    await client.until(() => client.record.closes.length === 5)
    t.same(client.record.closes.map(({ code }) => code), [1005, 1005, 1005, 1005, 1005], 'its own closes, which have no code')
    t.ok(django.asked.length <= client.record.attempts, 'each socket asks once')
  })
}

for (const kind of hocuspocusKinds) {
  t.test(`${kind}: a refused document does not affect the others on its socket, until a reset reconnects both`, async (t) => {
    const { app, wsUrl, django, open } = await start(t)
    open.add('mine')
    const socket = openHocuspocusSocket(t, kind, wsUrl, { headers: cookie('s') })
    const mine = connect(t, { kind, wsUrl, room: 'mine', socket })
    await mine.synced()
    const theirs = connect(t, { kind, wsUrl, room: 'theirs', socket })
    await theirs.until(() => theirs.record.denied.length === 1)
    await reset(app, 'elsewhere')
    mine.text.insert(0, 'goes on')
    await mine.until(() => mine.unsyncedChanges() === 0)
    t.same([socket.record.attempts, django.asked.length], [1, 3])
    // Provider 2 has detached itself: its page has to reconnect on its own.
    if (kind === 'Hocuspocus 2') return
    open.add('theirs')
    await reset(app, 'theirs', 'whoever that is')
    await Promise.all([mine.until(() => socket.record.closes.length === 1 && mine.isSynced()), theirs.synced()])
    t.same(socket.record.closes.map(({ code }) => code), [4205])
  })

  t.test(`${kind}: a client that loses access and regains it by a reset is connected again`, async (t) => {
    const { app, wsUrl, open } = await start(t, { RECHECK_INTERVAL_MS: '10' })
    open.add('r')
    const client = connect(t, { kind, wsUrl, room: 'r', headers: cookie('s') })
    await client.synced()
    open.delete('r')
    await client.until(() => client.record.denied.length > 0)
    await reset(app, 'r', 'somebody else')
    const socket = client.record.open
    if (socket !== undefined) await isSeen({ ws: socket })
    t.same(client.record.closes, [])
    if (kind === 'Hocuspocus 2') return
    open.add('r')
    await reset(app, 'r', 'u1')
    await client.until(() => client.record.closes.length > 0 && client.isSynced())
    t.equal(client.record.closes[0]?.code, 4205)
  })
}

t.test('A reset ignores a document that was refused and then left', async (t) => {
  const { app, wsUrl, open } = await start(t)
  open.add('mine')
  const client = await openBare(t, `${wsUrl}/collaboration/ws/`, cookie('s'))
  client.ws.send(auth('mine'))
  client.ws.send(auth('theirs'))
  await client.until(({ heard }) => heard.some(isDenied))
  client.ws.send(about('theirs', bytes(7, 'bye')))
  await isSeen(client)
  await reset(app, 'theirs')
  await isSeen(client)
  t.ok(client.isOpen)
})

t.test('An address can have a limited number of sockets that carry nothing but refusals, for a limited time', async (t) => {
  const { app, wsUrl, open } = await start(t, { MAX_REFUSED_PER_ADDRESS: '2' })
  open.add('mine')
  const refused = async (): Promise<BareClient> => {
    const client = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`, cookie('s'))
    client.ws.send(auth('r'))
    await client.until(({ heard, closed }) => heard.some(isDenied) || closed !== undefined)
    return client
  }
  const [first] = [await refused(), await refused()]
  const third = await refused()
  await third.until(({ closed }) => closed !== undefined)
  t.equal(third.closed?.code, 4529)
  const honest = await openBare(t, `${wsUrl}/collaboration/ws/?room=mine`, cookie('s'))
  honest.ws.send(auth('mine'))
  await honest.until(({ heard }) => heard.length > 0)
  t.notOk(isDenied(honest.heard[0] ?? auth('')), 'other clients are not affected')
  first.ws.terminate()
  Object.assign(app.gate, { emptyTimeoutMs: 50 })
  const shortLived = await eventuallyRefused()
  await shortLived.until(({ closed }) => closed !== undefined)
  t.equal(shortLived.closed?.code, 4508, 'it is not kept forever')

  /** Resolves when the service has noticed the end of the first one. */
  async function eventuallyRefused (): Promise<BareClient> {
    for (;;) {
      const client = await refused()
      await isSeen(client).catch(() => undefined)
      if (client.closed?.code !== 4529) return client
    }
  }
})

t.test('A socket that was never authorised asks Django four questions at a time, and ends after twenty refusals', async (t) => {
  const held: Array<() => void> = []
  const { wsUrl, django } = await start(t, {}, (_, response) => { held.push(() => { answer(response, 403, {}) }) })
  const flood = await openBare(t, `${wsUrl}/collaboration/ws/`, cookie('fake'))
  for (let i = 0; i < 150; i++) flood.ws.send(auth(`r${i}`))
  await isSeen(flood)
  await django.untilAsked(4)
  while (!flood.closed) {
    t.ok(held.length <= 4)
    for (const say of held.splice(0)) say()
    const { length } = django.asked
    await Promise.race([django.untilAsked(length + 1), flood.until(({ closed }) => closed !== undefined)])
  }
  t.equal(flood.closed.code, 4529)
  t.ok(django.asked.length <= 21 + 4, `${django.asked.length} questions`)
  t.equal(django.maxInFlight(), 4)
})

t.test('A socket of an authorised user opens many documents at once', async (t) => {
  const held: Array<() => void> = []
  const { wsUrl, django } = await start(t, {}, ({ url = '' }, response) => {
    if (url.includes('/first/')) answer(response, 200, mayEdit)
    else held.push(() => { answer(response, 200, mayEdit) })
  })
  const client = await openBare(t, `${wsUrl}/collaboration/ws/`, cookie('s'))
  client.ws.send(auth('first'))
  await client.until(({ heard }) => heard.length > 0)
  for (let i = 0; i < 12; i++) client.ws.send(auth(`r${i}`))
  await django.untilAsked(2 + 12)
  t.equal(held.length, 12)
  for (const say of held) say()
})

t.test('During a flood of sockets with a session each, an honest page is asked about before the flood\'s next questions', async (t) => {
  const held: Array<() => void> = []
  const { app, wsUrl, django } = await start(t, { BACKEND_MAX_CALLS: '3' }, (_, response) => { held.push(() => { answer(response, 403, {}) }) })
  for (let i = 0; i < 12; i++) {
    const flood = await openBare(t, `${wsUrl}/collaboration/ws/`, cookie(`fake-${i}`))
    for (let k = 0; k < 15; k++) flood.ws.send(auth(`flood-${i}-${k}`))
    await isSeen(flood)
  }
  await django.untilAsked(3)
  const { authoriseHandshake } = app.authoriser
  const isWaiting = new Promise<void>((resolve) => {
    app.authoriser.authoriseHandshake = async (request) => {
      const judged = authoriseHandshake(request)
      resolve()
      return await judged
    }
  })
  // y-websocket: authorised at the handshake, in the same turns.
  connectBare(t, `${wsUrl}/collaboration/ws/honest`, cookie('honest'))
  await isWaiting
  const before = () => django.asked.findIndex((url) => url.includes('/honest/'))
  while (before() === -1) {
    const { length } = django.asked
    held.shift()?.()
    await django.untilAsked(length + 1)
  }
  t.ok(before() <= 3 + 12, `after ${before()} of 180`)
  for (const say of held) say()
})

t.test('A document without credentials beside one that a ticket opened is denied, and the socket stays open', async (t) => {
  const { wsUrl, django } = await start(t)
  const client = await openBare(t, `${wsUrl}/collaboration/ws/`)
  client.ws.send(auth('a', await mint('a')))
  client.ws.send(auth('b'))
  await client.until(({ heard }) => heard.some(isDenied))
  t.same(read(client.heard.find(isDenied) ?? auth('')).rest.slice(2), [...Buffer.from('No cookies')])
  await isSeen(client)
  t.ok(client.isOpen)
  t.same(django.asked, [])
})
