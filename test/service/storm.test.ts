import t from 'tap'
import { answer, mayEdit, startDjango } from '../access/django.ts'
import type { Handler } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { inLongRun } from '../long.ts'
import { eventually } from '../clients/eventually.ts'
import { connectBare, type BareClient } from '../clients/bare-client.ts'
import { about, bytes } from '../clients/messages.ts'

const users = inLongRun(100, 200)
const clientsPerUser = inLongRun(6, 10)
const maxCalls = 8
const rooms = ['a', 'b', 'c', 'd']

t.test(`${users * clientsPerUser} clients of ${users} users connect at once: one question per user and document, a few at a time`, async (t) => {
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
    // Held back until the last client has connected, even on a busy machine.
    COLLABORATION_BACKEND_TIMEOUT: '60000',
    BACKEND_MAX_CALLS: String(maxCalls),
    MAX_CONNECTIONS_PER_USER: '0',
  })
  app.server.on('upgrade', () => { requests++ })

  /** Half of them use Hocuspocus. Resolves when the server knows of each, and each waits for Django. */
  async function everybodyComes (): Promise<BareClient[]> {
    const before = requests
    held = []
    const clients: BareClient[] = []
    for (let client = 0; client < clientsPerUser; client++) {
      for (let user = 0; user < users; user++) {
        const cookie = { cookie: `sessionid=user-${user}` }
        const room = rooms[user % rooms.length] ?? ''
        clients.push(connectBare(t, `${wsUrl}/collaboration/ws/${client % 2 === 0 ? room : `?room=${room}`}`, cookie))
      }
      // A few at a time: a listen queue that overflows makes clients wait for seconds, or fail.
      await eventually(() => requests === before + clients.length)
    }
    const hocuspocus = clients.filter((_, i) => Math.floor(i / users) % 2 === 1)
    await Promise.all(hocuspocus.map(async (client) => {
      await client.until(({ isOpen }) => isOpen)
      const room = new URL(client.ws.url).searchParams.get('room') ?? ''
      client.ws.send(about(room, bytes(2, 0, '')))
      await new Promise((resolve) => { client.ws.once('pong', resolve).ping() })
    }))
    return clients
  }

  async function djangoAnswers (clients: readonly BareClient[]): Promise<void> {
    const waiting = held ?? []
    held = undefined
    for (const say of waiting) say()
    // The first message arrives after the verdict: step 1, or Authenticated.
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
  t.ok(django.asked.length <= 2 * users, 'at most one user call for each')
  t.equal(django.maxInFlight(), maxCalls)
})
