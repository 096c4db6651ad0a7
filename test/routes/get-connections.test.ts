import t from 'tap'
import { answer, mayEdit, routes, startDjango } from '../access/django.ts'
import { asDjango, build, listen } from '../helper.ts'
import { connect, kinds } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { mint } from '../service/tickets.ts'
import { checkAnswers } from './answer-table.ts'

const url = '/collaboration/api/get-connections'

t.test('The answers match the contract, byte for byte', async (t) => {
  await checkAnswers(t, await build(t), [
    ['GET', `${url}?room=r&sessionKey=s`, 404, '{"error":"Room not found"}'],
    ['HEAD', `${url}?room=r&sessionKey=s`, 404, ''],
    ['GET', url, 400, '{"error":"Room name not provided"}'],
    ['GET', `${url}?sessionKey=s`, 400, '{"error":"Room name not provided"}'],
    ['GET', `${url}?room=&sessionKey=s`, 400, '{"error":"Room name not provided"}'],
    ['GET', `${url}?room=r`, 400, '{"error":"Session key not provided"}'],
    ['GET', `${url}?room=r&sessionKey=`, 400, '{"error":"Session key not provided"}'],
    ['GET', `${url}?room=r&sessionkey=s`, 400, '{"error":"Session key not provided"}'],
    ['GET', `${url}?room=r&room=s&sessionKey=s`, 400, '{"error":"Parameter given more than once: room"}'],
    ['GET', `${url}?room=r&sessionKey=s&sessionKey=s`, 400, '{"error":"Parameter given more than once: sessionKey"}'],
    ['POST', `${url}?room=r&sessionKey=s`, 404, '{"error":"Not found"}'],
  ])
})

t.test('Connections that can edit are counted, and their sessions are known by header, ticket and cookie', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 200, mayEdit) }))
  const { app, wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  const count = async (room: string, sessionKey: string): Promise<unknown> =>
    (await app.inject({ url, query: { room, sessionKey }, headers: asDjango })).json()
  const reader = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'r', headers: { ...asDjango, 'x-can-edit': 'False', 'x-session-key': 'reader' } })
  await reader.synced()
  t.same(await count('r', 'reader'), { count: 0, exists: false }, 'a reader opens the room and is not counted')
  const ways = {
    header: { headers: { ...asDjango, 'x-session-key': 'by-header', cookie: 'sessionid=not-this' } },
    proxiedCookie: { headers: { ...asDjango, 'x-can-edit': 'True', cookie: 'sessionid=not-this; docs_sessionid=by-proxied-cookie' } },
    ticket: { token: await mint('r', { can_edit: true, session_key: 'by-ticket' }) },
    ticketAndCookie: { token: await mint('r', { can_edit: true }), headers: { cookie: 'sessionid=by-ticket-and-cookie' } },
    cookie: { headers: { cookie: 'sessionid="by-cookie"' } },
  }
  const clients = Object.values(ways).map((way, i) => connect(t, { kind: kinds[i % kinds.length] ?? kinds[0], wsUrl, room: 'r', ...way }))
  await Promise.all(clients.map((client) => client.synced()))
  for (const key of ['by-header', 'by-proxied-cookie', 'by-ticket', 'by-ticket-and-cookie', 'by-cookie']) {
    t.same(await count('r', key), { count: 5, exists: true }, key)
  }
  for (const key of ['reader', 'not-this', 'BY-COOKIE']) t.same(await count('r', key), { count: 5, exists: false }, key)
  t.same(await count('elsewhere', 'by-header'), { error: 'Room not found' })
  for (const client of [...clients, reader]) client.destroy()
  await eventually(() => app.rooms.openRooms === 0)
  t.same(await count('r', 'by-header'), { error: 'Room not found' }, 'after the last client has left')
})
