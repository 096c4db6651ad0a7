import t from 'tap'
import { answer, mayEdit, startDjango } from '../access/django.ts'
import type { Handler } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { about, bytes, wire } from './wire.ts'
import type { Wire } from './wire.ts'

const users = 200
const clientsPerUser = 10
const maxCalls = 8
const rooms = ['a', 'b', 'c', 'd']

t.test('2,000 clients of 200 users come back at once: one question per user and document, few at a time', async (t) => {
  let requests = 0
  let held: Array<() => void> | undefined = []
  const handler: Handler = ({ url = '' }, response) => {
    const say = (): void => { answer(response, 200, url.includes('/users/') ? { id: 'u' } : mayEdit) }
    if (held === undefined) say()
    else held.push(say)
  }
  const django = await startDjango(t, handler)
  const { app, wsUrl } = await listen(t, {
    COLLABORATION_BACKEND_BASE_URL: django.baseUrl,
    // Held back until the last client has come, on a machine that may be busy.
    COLLABORATION_BACKEND_TIMEOUT: '60000',
    BACKEND_MAX_CALLS: String(maxCalls),
    MAX_CONNECTIONS_PER_USER: '0',
  })
  app.server.on('upgrade', () => { requests++ })

  /** Half of them speak Hocuspocus. Resolves when the server knows of each, and each waits for Django. */
  async function everybodyComes (): Promise<Wire[]> {
    const before = requests
    held = []
    const clients: Wire[] = []
    for (let client = 0; client < clientsPerUser; client++) {
      for (let user = 0; user < users; user++) {
        const cookie = { cookie: `sessionid=user-${user}` }
        const room = rooms[user % rooms.length] ?? ''
        clients.push(wire(t, `${wsUrl}/collaboration/ws/${client % 2 === 0 ? room : `?room=${room}`}`, cookie))
      }
    }
    const hocuspocus = clients.filter((_, i) => Math.floor(i / users) % 2 === 1)
    await Promise.all(hocuspocus.map(async (client) => {
      await client.until(({ isOpen }) => isOpen)
      const room = new URL(client.ws.url).searchParams.get('room') ?? ''
      client.ws.send(about(room, bytes(2, 0, '')))
      await new Promise((resolve) => { client.ws.once('pong', resolve).ping() })
    }))
    while (requests < before + clients.length) await new Promise((resolve) => { setImmediate(resolve) })
    return clients
  }

  async function djangoAnswers (clients: readonly Wire[]): Promise<void> {
    const waiting = held ?? []
    held = undefined
    for (const say of waiting) say()
    // The first message comes after the verdict: step 1, or Authenticated.
    await Promise.all(clients.map(async (client) => { await client.until(({ heard }) => heard.length > 0) }))
  }

  const first = await everybodyComes()
  await djangoAnswers(first)
  t.equal(rooms.reduce((sum, room) => sum + app.rooms.size(room), 0), users * clientsPerUser)
  t.equal(django.asked.filter((url) => url.includes('/documents/')).length, users)
  t.ok(django.asked.length <= 2 * users)

  django.asked.length = 0
  await app.inject({ method: 'POST', url: `/collaboration/api/reset-connections/?${rooms.map((room) => `room=${room}`).join('&')}`, headers: asDjango })
  await Promise.all(first.map(async (client) => { await client.until(({ closed }) => closed?.code === 4205) }))
  const second = await everybodyComes()
  await djangoAnswers(second)
  t.equal(rooms.reduce((sum, room) => sum + app.rooms.size(room), 0), users * clientsPerUser)
  t.equal(django.asked.filter((url) => url.includes('/documents/')).length, users)
  t.ok(django.asked.length <= 2 * users, 'who a user is is asked at most once for each')
  t.equal(django.maxInFlight(), maxCalls)
})
