/** Access is renewed with another ticket on the open connection. */
import t, { type Test } from 'tap'
import { answer, mayRead, startDjango } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import type { Client } from '../clients/client.ts'
import { allKinds, connect } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { hocuspocusKinds, openHocuspocusSocket } from '../clients/hocuspocus-client.ts'

// The tests mostly wait: tickets are checked once a second.
t.jobs = 8

const soon = (seconds: number): number => Date.now() / 1000 + seconds

async function start (t: Test, env: Record<string, string> = {}) {
  const { app, wsUrl } = await listen(t, { RECHECK_INTERVAL_MS: '0', ...env })
  const count = (sessionKey = ''): unknown => app.rooms.count('r', sessionKey)
  return { app, wsUrl, count }
}

/** Asserts that the client still has its first connection. */
const hasStayed = ({ record }: Client): boolean => record.closes.length === 0 && record.attempts === 1

for (const kind of allKinds) {
  const answers = kind.startsWith('Hocuspocus') ? ['read-write'] : []

  t.test(`${kind}: a renewed connection outlives its first ticket, and ends with the last one`, async (t) => {
    const { wsUrl } = await start(t)
    const token = (exp: number): Promise<string> => mint('r', { exp, can_edit: true, user_id: 'u' })
    // Long enough to connect on a busy machine.
    const first = await token(soon(15))
    const client = connect(t, { kind, wsUrl, room: 'r', token: first })
    // It ends with the first ticket, and so shows when that has expired.
    const witness = connect(t, { kind, wsUrl, room: 'r', token: first })
    await Promise.all([client.synced(), witness.synced()])
    await client.renew(await token(soon(600)))
    await client.until(() => client.record.scopes.length === answers.length + 1)
    t.same(client.record.scopes, [...answers, 'read-write'])
    await witness.until(() => witness.record.denied.length > 0)
    t.ok(hasStayed(client))
    const last = soon(1)
    await client.renew(await token(last))
    await client.until(() => client.record.denied.length > 0)
    t.equal(client.record.denied[0], 'The ticket has expired.')
    t.ok(Date.now() / 1000 >= last)
  })

  t.test(`${kind}: a renewal changes the client's access, in both directions`, async (t) => {
    const { wsUrl, count } = await start(t)
    const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
    const token = (claims: object = {}): Promise<string> => mint('r', { user_id: 'u', ...claims })
    const client = connect(t, { kind, wsUrl, room: 'r', token: await token({ session_key: 'before' }) })
    await Promise.all([client.synced(), other.synced()])
    client.awareness.setLocalStateField('user', 'U')
    await other.until(() => other.awareness.getStates().get(client.doc.clientID)?.['user'] === 'U')
    t.same([count(), count('before')], [{ count: 1, exists: false }, { count: 1, exists: false }])

    client.text.insert(0, 'b')
    await client.renew(await token({ can_edit: true, session_key: 'after' }))
    client.text.insert(1, 'c')
    await other.until(() => other.text.toString() === 'bc')
    t.same(client.record.scopes.at(-1), 'read-write', 'the changes rejected before are requested')
    t.same([count('before'), count('after')], [{ count: 2, exists: false }, { count: 2, exists: true }])

    await client.renew(await token())
    client.text.insert(0, 'not this ')
    other.text.insert(0, 'a')
    await client.until(() => client.record.scopes.at(-1) === 'readonly' && client.text.toString().includes('a'))
    t.equal(other.text.toString(), 'abc', 'changes sent after the ticket are already rejected')
    t.same(count('after'), { count: 1, exists: false })
    client.awareness.setLocalStateField('user', 'still U')
    await other.until(() => other.awareness.getStates().get(client.doc.clientID)?.['user'] === 'still U')
    t.ok(hasStayed(client))
  })

  const refused: { [what: string]: { claims?: object, room?: string, key?: string, reason: string } } = {
    'for another room': { room: 'elsewhere', reason: 'The ticket is for another room.' },
    'of another user': { claims: { user_id: 'v' }, reason: 'The ticket is for another user.' },
    'of an anonymous user': { claims: { user_id: null }, reason: 'The ticket is for another user.' },
    'that has expired': { claims: { exp: soon(-1) }, reason: 'The ticket has expired.' },
    'that is forged': { key: 'a-secret-of-somebody-else', reason: 'The ticket is invalid.' },
  }
  for (const [what, { claims, room = 'r', key, reason }] of Object.entries(refused)) {
    t.test(`${kind}: a ticket ${what} ends the connection`, async (t) => {
      const { wsUrl } = await start(t)
      const other = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: asDjango })
      const good = await mint('r', { user_id: 'u', can_edit: true })
      const client = connect(t, { kind, wsUrl, room: 'r', token: good })
      await Promise.all([client.synced(), other.synced()])
      await client.renew(await mint(room, { user_id: 'u', can_edit: true, ...claims }, key))
      client.text.insert(0, 'not this')
      await client.until(() => client.record.denied.length > 0)
      t.equal(client.record.denied[0], reason)
      if (kind !== 'y-websocket 3') t.same(client.record.closes, [], 'the socket stays open')
      t.ok(hasStayed(other))
    })
  }
}

for (const kind of hocuspocusKinds) {
  t.test(`${kind}: with several documents on one socket, a ticket changes or ends only its own`, async (t) => {
    const { wsUrl, app } = await start(t)
    const socket = openHocuspocusSocket(t, kind, wsUrl)
    const open = async (room: string): Promise<Client> => connect(t, { kind, wsUrl, room, socket, token: await mint(room, { user_id: 'u' }) })
    const [a, b] = [await open('a'), await open('b')]
    await Promise.all([a.synced(), b.synced()])
    await a.renew(await mint('a', { user_id: 'u', can_edit: true }))
    await eventually(() => app.rooms.count('a', '')?.count === 1)
    t.equal(app.rooms.count('b', '')?.count, 0)
    await b.renew(await mint('a', { user_id: 'u', can_edit: true }))
    await b.until(() => b.record.denied.length > 0)
    a.text.insert(0, 'goes on')
    await a.until(() => a.unsyncedChanges() === 0)
    t.same([socket.record.closes, app.rooms.count('b', '')], [[], undefined])
  })

  t.test(`${kind}: a document that is left and opened again on its socket needs no older ticket`, async (t) => {
    const { wsUrl } = await start(t)
    const token = (exp: number): Promise<string> => mint('r', { exp, can_edit: true })
    const socket = openHocuspocusSocket(t, kind, wsUrl, { room: 'r', query: `&token=${await token(soon(15))}` })
    const witness = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', token: await token(soon(15)) })
    const client = connect(t, { kind, wsUrl, room: 'r', socket })
    await Promise.all([client.synced(), witness.synced()])
    const last = await token(soon(60))
    await client.renew(last)
    await client.until(() => client.record.scopes.length === 2)
    await witness.until(() => witness.record.closes.length > 0)
    client.destroy()
    const again = connect(t, { kind, wsUrl, room: 'r', socket, token: last })
    await again.synced()
    t.same([socket.record.closes, socket.record.denied], [[], []])
  })
}

t.test('A client that was admitted by a cookie is not rechecked once it has a ticket', async (t) => {
  const django = await startDjango(t, (request, response) => { answer(response, 200, request.url?.includes('/users/') === true ? { id: 'u' } : mayRead) })
  const { app, wsUrl, count } = await start(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, RECHECK_INTERVAL_MS: '10' })
  const client = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'r', headers: { cookie: 'sessionid=s' } })
  await client.synced()
  await django.untilAsked(django.asked.length + 2)
  await client.renew(await mint('r', { user_id: 'u', can_edit: true }))
  await client.until(() => client.record.scopes.length > 0)
  t.same(count('s'), { count: 1, exists: true }, 'its session is still the one of the cookie')
  const asked = django.asked.length
  app.gate.rechecks.look()
  t.equal(django.asked.length, asked)
})
