import t from 'tap'
import type { Test as TapTest } from 'tap'
import { answer, mayEdit, mayRead, startDjango } from '../access/django.ts'
import type { Handler } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import { connect, kinds } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'

// The tests mostly wait: access is checked once a second.
t.jobs = 8

const headers = { cookie: 'sessionid=s' }

/** A service that rechecks all the time, and a Django whose answers can be changed. */
async function start (t: TapTest) {
  const now: { document: Handler, user: Handler } = {
    document: (_, response) => { answer(response, 200, mayEdit) },
    user: (_, response) => { answer(response, 200, { id: 'u' }) },
  }
  const django = await startDjango(t, (request, response) => { (request.url?.includes('/users/') ? now.user : now.document)(request, response) })
  const service = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, RECHECK_INTERVAL_MS: '10' })
  return { ...service, django, now }
}

for (const kind of kinds) {
  t.test(`${kind}: a client that loses read access is told so`, async (t) => {
    const { wsUrl, now } = await start(t)
    const bystander = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    const client = connect(t, { kind, wsUrl, room: 'r', headers })
    await Promise.all([client.synced(), bystander.synced()])
    now.document = (_, response) => { answer(response, 403, {}) }
    await client.until(() => client.record.denied.length > 0)
    t.equal(client.record.denied[0], 'You may not read this document.')
    if (kind === 'y-websocket 3') {
      await client.until(() => client.record.closes.length > 0)
      t.equal(client.record.closes[0]?.code, 4403)
    } else {
      const socket = client.record.open
      if (socket !== undefined) await new Promise((resolve) => { socket.once('pong', resolve).ping() })
      t.same(client.record.closes, [], 'the socket stays open')
    }
    t.same([bystander.record.closes, bystander.record.attempts], [[], 1], 'other clients see no disconnect')
  })

  t.test(`${kind}: edit becomes read-only and edit again on the same socket`, async (t) => {
    const { app, wsUrl, now } = await start(t)
    const other = connect(t, { kind, wsUrl, room: 'r', headers: asDjango })
    const client = connect(t, { kind, wsUrl, room: 'r', headers })
    await Promise.all([client.synced(), other.synced()])
    client.text.insert(0, 'a')
    await other.until(() => other.text.toString() === 'a')
    now.document = (_, response) => { answer(response, 200, mayRead) }
    await eventually(() => app.rooms.count('r', '')?.count === 1)
    client.text.insert(1, 'b')
    await eventually(() => app.rooms.counters.refused === 1)
    other.text.insert(0, '>')
    await client.until(() => client.text.toString() === '>ab')
    t.equal(other.text.toString(), '>a', 'changes made meanwhile reach nobody')
    now.document = (_, response) => { answer(response, 200, mayEdit) }
    await eventually(() => app.rooms.count('r', '')?.count === 2)
    client.text.insert(3, 'c')
    await other.until(() => other.text.toString() === '>abc')
    t.same([client.record.closes, client.record.attempts], [[], 1])
    if (kind !== 'y-websocket 3') t.same(client.record.scopes, ['read-write', 'readonly', 'read-write'])
  })

  t.test(`${kind}: an unavailable Django disconnects nobody`, async (t) => {
    const { app, wsUrl, now, django } = await start(t)
    const client = connect(t, { kind, wsUrl, room: 'r', headers })
    await client.synced()
    for (const status of [500, 429, 301]) {
      now.document = (_, response) => { answer(response, status, '') }
      await django.untilAsked(django.asked.length + 2)
    }
    now.document = (request) => { request.socket.destroy() }
    await django.untilAsked(django.asked.length + 2)
    await django.stop()
    client.text.insert(0, 'still here')
    await eventually(() => app.rooms.counters.updates === 1)
    t.same([client.record.closes, client.record.attempts], [[], 1])
  })

  t.test(`${kind}: a ticket ends when it says so`, async (t) => {
    const { wsUrl } = await listen(t, { RECHECK_INTERVAL_MS: '0' })
    const exp = Date.now() / 1000 + 5
    const client = connect(t, { kind, wsUrl, room: 'r', token: await mint('r', { exp, can_edit: true }) })
    await client.synced()
    await client.until(() => client.record.denied.length > 0)
    t.equal(client.record.denied[0], 'The ticket has expired.')
    if (kind === 'y-websocket 3') {
      await client.until(() => client.record.closes.length > 0)
      t.same(client.record.closes[0], { code: 4401, reason: 'The ticket has expired.' })
    }
    t.ok(Date.now() / 1000 >= exp)
  })
}

t.test('A reset finds a user that Django named later', async (t) => {
  const { app, wsUrl, now } = await start(t)
  now.user = (_, response) => { answer(response, 500, '') }
  const client = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers })
  await client.synced()
  now.user = (_, response) => { answer(response, 200, { id: 'late' }) }
  await eventually(() => [...app.rooms.connections()].some(({ userId }) => userId === 'late'))
  await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=r', headers: { ...asDjango, 'x-user-id': 'late' } })
  await client.until(() => client.record.closes.length > 0)
  t.equal(client.record.closes[0]?.code, 4205)
})
