import t, { type Test } from 'tap'
import { answer, mayEdit, mayRead, routes, startDjango } from '../access/django.ts'
import type { Handler } from '../access/django.ts'
import { listen, secret } from '../helper.ts'
import { mint } from './tickets.ts'
import type { Client } from '../clients/client.ts'
import { connect, kinds, type Kind } from '../clients/connect.ts'

/** The possible outcomes of a client. */
type Fate =
  | 'edits'
  | 'reads'
  /** HTTP 403 instead of the upgrade. Clients cannot see why, and retry. */
  | 'forbidden'
  /** Reported by a permission-denied message; for y-websocket and 4001 also by a close with this code. */
  | 4001 | 4401 | 4403
  /** 4503, without a message that looks like a denial; the log names the cause. */
  | { readonly cause: string }

interface Credentials {
  readonly headers?: { readonly [name: string]: string }
  readonly token?: string
}

/** Everything that must not be in the log. */
const hidden = [secret, 'wrong-secret', 'browser-cookie', 'key-of-session']
const cookie = 'sessionid=browser-cookie'
const always = (status: number, body: unknown = '', headers = {}): Handler => (_, response) => { answer(response, status, body, headers) }

const django: { readonly [name: string]: { readonly says: Handler, readonly fate: Fate } } = {
  'can edit': { says: always(200, mayEdit), fate: 'edits' },
  'can read': { says: always(200, mayRead), fate: 'reads' },
  'no access': { says: always(200, { abilities: { retrieve: false, update: true } }), fate: 4403 },
  'session expired (401)': { says: always(401), fate: 4403 },
  403: { says: always(403), fate: 4403 },
  404: { says: always(404), fate: 4403 },
  301: { says: always(301, '', { location: '/login/?next=key-of-session' }), fate: { cause: 'redirect' } },
  400: { says: always(400), fate: { cause: 'unexpected-status' } },
  429: { says: always(429), fate: { cause: 'rate-limited' } },
  500: { says: always(500), fate: { cause: 'server-error' } },
  'not JSON': { says: always(200, '<html>'), fate: { cause: 'not-json' } },
  'no abilities': { says: always(200, {}), fate: { cause: 'wrong-shape' } },
  'hangs up': { says: (request) => { request.socket.destroy() }, fate: { cause: 'unreachable' } },
}

const secretCases: ReadonlyArray<[name: string, headers: { readonly [name: string]: string }, fate: Fate]> = [
  ['alone', { authorization: secret }, 'edits'],
  ['X-Can-Edit: True', { authorization: secret, 'x-can-edit': 'True' }, 'edits'],
  ['X-Can-Edit: False', { authorization: secret, 'x-can-edit': 'False' }, 'reads'],
  ['X-Can-Edit: true', { authorization: secret, 'x-can-edit': 'true' }, 'reads'],
  ['X-Can-Edit, empty', { authorization: secret, 'x-can-edit': '' }, 'reads'],
  ['wrong', { authorization: 'wrong-secret', cookie }, 'forbidden'],
  ['Bearer', { authorization: `Bearer ${secret}`, cookie }, 'forbidden'],
  ['another case', { authorization: secret.toUpperCase(), cookie }, 'forbidden'],
  ['empty', { authorization: '', cookie }, 'forbidden'],
  ['the API key, which is for HTTP only', { authorization: 'key-of-conversion', cookie }, 'forbidden'],
]

const ticketCases: ReadonlyArray<[name: string, ticket: (room: string) => Promise<string>, fate: Fate]> = [
  ['can edit', (room) => mint(room, { can_edit: true, user_id: 'u' }), 'edits'],
  ['can read', (room) => mint(room), 'reads'],
  ['can_edit is no real true', (room) => mint(room, { can_edit: 'True' }), 'reads'],
  ['of the previous secret', (room) => mint(room, { can_edit: true }, 'the-secret-of-last-year'), 'edits'],
  ['for another room', () => mint('another'), 4401],
  ['expired', (room) => mint(room, { exp: Math.floor(Date.now() / 1000) - 1 }), 4401],
  ['for years', (room) => mint(room, { exp: Math.floor(Date.now() / 1000) + 1e8 }), 4401],
  ['without exp', (room) => mint(room, { exp: undefined }), 4401],
  ['forged', (room) => mint(room, {}, 'wrong-secret'), 4401],
  ['signed with the API key', (room) => mint(room, {}, 'key-of-conversion'), 4401],
  ['no JWT', async () => 'nonsense', 4401],
  ['too long', async (room) => await mint(room, { padding: 'x'.repeat(8000) }), 4401],
]

async function start (t: Parameters<typeof startDjango>[0], env: { [name: string]: string } = {}) {
  const lines: string[] = []
  const backend = await startDjango(t, routes((request, response) => {
    const room = decodeURIComponent(request.url?.split('/')[4] ?? '')
    // A user without a script waits forever.
    django[room.split(' @ ')[0] ?? '']?.says(request, response)
  }))
  const service = await listen(t, {
    COLLABORATION_BACKEND_BASE_URL: backend.baseUrl,
    // Django is never slow by accident, even on a busy machine.
    COLLABORATION_BACKEND_TIMEOUT: '60000',
    COLLABORATION_SERVER_SECRET_PREVIOUS: 'the-secret-of-last-year',
    Y_PROVIDER_API_KEY: 'key-of-conversion',
    LOG_LEVEL: 'trace',
    ...env,
  }, { write: (line) => { lines.push(line) } })
  return { ...service, backend, lines }
}

type Service = Awaited<ReturnType<typeof start>>

/** Follows one client to its outcome. Many do so at a time. */
async function follow (
  t: Test & Tap,
  { app, wsUrl, lines }: Service,
  kind: Kind,
  room: string,
  credentials: Credentials,
  fate: Fate
): Promise<Client> {
  const client = connect(t, { kind, wsUrl, room, ...credentials })
  const { record } = client
  const isHocuspocus = kind !== 'y-websocket 3'
  if (fate === 'edits' || fate === 'reads') {
    await client.synced()
    if (isHocuspocus) t.same(record.scopes, [fate === 'edits' ? 'read-write' : 'readonly'], room)
    t.equal(app.rooms.count(room, '')?.count, fate === 'edits' ? 1 : 0, room)
    t.equal(record.attempts, 1, room)
  } else if (fate === 'forbidden') {
    await client.until(() => record.attempts > 1)
    t.same([record.statuses[0], record.closes, record.denied], [403, [], []], room)
  } else if (typeof fate === 'number') {
    await client.until(() => record.denied.length > 0)
    if (kind === 'y-websocket 3' || fate === 4001) {
      await client.until(() => record.closes.length > 0)
      t.equal(record.closes[0]?.code, fate, room)
      t.same(record.denied[0], record.closes[0]?.reason, room)
      t.same(record.events.slice(0, 3), ['open', 'denied', `close ${fate}`], `${room}: in this order`)
      if (kind === 'y-websocket 3') t.notOk(client.wantsToConnect(), `${room}: stops`)
    } else {
      await isSeen(client)
      t.same(record.events, ['open', 'denied'], `${room}: the socket stays open`)
      t.equal(record.attempts, 1, room)
    }
  } else {
    await client.until(() => record.attempts > 1 && record.closes.length > 0)
    t.equal(record.closes[0]?.code, 4503, room)
    t.same(record.denied, [], `${room}: never permission denied`)
    t.same(record.inBandCloses, [], room)
    t.ok(client.wantsToConnect(), `${room}: retries`)
    const named = lines.some((line) => line.includes(JSON.stringify(room)) && line.includes(`"cause":"${fate.cause}"`))
    t.ok(named, `${room}: the log names the cause`)
  }
  return client
}

/** Resolves when the server has processed, and answered, everything that the client has sent. */
async function isSeen ({ record: { open } }: Client): Promise<void> {
  if (open !== undefined) await new Promise((resolve) => { open.once('pong', resolve).ping() })
}

/** Calls to Django about a document. */
const callsAbout = ({ backend }: Service, room: string): number =>
  backend.asked.filter((url) => url === `/api/v1.0/documents/${encodeURIComponent(room)}/`).length

interface Tap {
  ok (value: unknown, message: string): unknown
  notOk (value: unknown, message: string): unknown
  equal (found: unknown, wanted: unknown, message: string): unknown
  same (found: unknown, wanted: unknown, message: string): unknown
}

for (const kind of kinds) {
  t.test(`${kind}, with the secret`, async (t) => {
    const service = await start(t)
    await Promise.all(secretCases.map(([name, headers, fate]) => follow(t, service, kind, `secret ${name} @ ${kind}`, { headers }, fate)))
    t.same(service.backend.asked, [], 'Django is not asked')
    logIsClean(t, service)
  })

  t.test(`${kind}, with a ticket`, async (t) => {
    const service = await start(t)
    const tickets: string[] = []
    const clients = await Promise.all(ticketCases.map(async ([name, ticket, fate]) => {
      const room = `ticket ${name} @ ${kind}`
      const token = await ticket(room)
      tickets.push(token)
      return await follow(t, service, kind, room, { token, headers: { cookie } }, fate)
    }))
    t.same(clients.filter(({ record }) => record.attempts > 1), [], 'refused clients do not reconnect at once')
    t.same(service.backend.asked, [], 'a valid ticket needs no Django, and the cookie does not make up for an invalid one')
    logIsClean(t, service, tickets)
  })

  t.test(`${kind}, with the cookie`, async (t) => {
    const service = await start(t)
    const clients = await Promise.all(Object.entries(django).map(async ([name, { fate }]) =>
      await follow(t, service, kind, `${name} @ ${kind}`, { headers: { cookie } }, fate)))
    const refused = clients.filter(({ record }) => record.denied.length > 0)
    t.same(refused.map(({ record }) => record.attempts), [1, 1, 1, 1], 'refused clients do not reconnect at once')
    for (const [name, { fate }] of Object.entries(django)) {
      if (typeof fate !== 'object') t.equal(callsAbout(service, `${name} @ ${kind}`), 1, `${name}: Django is asked once`)
    }
    logIsClean(t, service)
  })

  t.test(`${kind}, with the cookie and a slow Django`, async (t) => {
    const service = await start(t, { COLLABORATION_BACKEND_TIMEOUT: '50' })
    await follow(t, service, kind, `slow @ ${kind}`, { headers: { cookie } }, { cause: 'timeout' })
    logIsClean(t, service)
  })

  t.test(`${kind}, with the cookie and an unreachable Django`, async (t) => {
    const service = await start(t)
    await service.backend.stop()
    await follow(t, service, kind, `refused @ ${kind}`, { headers: { cookie } }, { cause: 'unreachable' })
    t.match(service.lines.join(''), '"code":"ECONNREFUSED"')
    logIsClean(t, service)
  })

  t.test(`${kind}, without credentials, and with a cookie but no Django`, async (t) => {
    const isYWebsocket = kind === 'y-websocket 3'
    const service = await start(t)
    await follow(t, service, kind, `none @ ${kind}`, {}, isYWebsocket ? 'forbidden' : 4001)
    t.same(service.backend.asked, [], 'Django is not asked')
    t.match(service.lines.join(''), isYWebsocket ? '"rule":"noCredentials","code":403' : '"rule":"noCookies","code":4001,"reason":"No cookies"')
    await follow(t, await start(t, { COLLABORATION_BACKEND_BASE_URL: '' }), kind, `cookie @ ${kind}`, { headers: { cookie } }, isYWebsocket ? 'forbidden' : 4403)
  })
}

function logIsClean (t: Tap, { lines }: Service, more: readonly string[] = []): void {
  const text = lines.join('')
  for (const word of [...hidden, ...more]) t.notOk(text.includes(word), 'the log contains no secret')
}
