/** The log lines about refused clients. */
import t from 'tap'
import { start } from './refusing-django.ts'
import { openBare, connectBare, type BareClient } from '../clients/bare-client.ts'
import { eventually } from '../clients/eventually.ts'
import { about, bytes, read } from '../clients/messages.ts'

const cookie = (session: string) => ({ cookie: `sessionid=${session}` })
const auth = (name: string, token = '') => about(name, bytes(2, 0, token))
const isDenied = (message: Uint8Array): boolean => read(message).type === 2 && read(message).rest[0] === 1

t.test('Each refusal is one line with its rule, user, credentials and address', async (t) => {
  const origins = { COLLABORATION_SERVER_ORIGIN: 'https://docs.example,https://*.example.org' }
  const allowed = ['https://docs.example', 'https://*.example.org']
  const origin = 'https://docs.example'
  const { app, wsUrl, open, refusals } = await start(t, { ...origins, MAX_FRAME_BYTES: '1000' })
  open.add('r')
  const expected: object[] = []
  const meet = async (what: Record<string, unknown>, make: () => Promise<unknown>): Promise<void> => {
    expected.push({ level: 40, allowed, remoteAddress: '127.0.0.1', ...what })
    await make()
    await eventually(() => refusals().length === expected.length)
  }
  const handshake = async (path: string, headers: { readonly [name: string]: string } = {}): Promise<void> => {
    const client = connectBare(t, `${wsUrl}/collaboration/ws/${path}`, { origin, ...headers })
    await client.until(({ refused, closed }) => refused !== undefined || closed !== undefined)
  }
  const inDocument = async (send: (client: BareClient) => void): Promise<void> => {
    const client = await openBare(t, `${wsUrl}/collaboration/ws/r`, { origin, ...cookie('secret-session') })
    await client.until(({ heard }) => heard.length > 0)
    send(client)
    await client.until(({ closed }) => closed !== undefined)
  }
  await meet({ rule: 'origin', code: 403, room: 'r', origin: 'https://evil.example\\u{ad}', credentials: ['cookie'] }, () => handshake('r', { origin: 'https://evil.example\xad', ...cookie('secret-session') }))
  await meet({ rule: 'secret', code: 403, room: 'r', origin, credentials: ['authorization'] }, () => handshake('?room=r', { authorization: 'wrong-secret' }))
  await meet({ rule: 'noCredentials', code: 403, room: 'r', origin, credentials: [] }, () => handshake('r'))
  await meet({ rule: 'ticketInvalid', code: 4401, room: 'r', reason: 'The ticket is invalid.', credentials: ['ticket'] }, () => handshake('r?token=wrong-ticket'))
  await meet({ rule: 'forbidden', code: 4403, room: 'theirs', credentials: ['cookie'] }, () => handshake('theirs', cookie('secret-session')))
  await meet({ rule: 'otherRoom', code: 4403, room: 'r' }, () => handshake('r?room=x', cookie('secret-session')))
  await meet({ rule: 'roomName', code: 4403, room: 'r ' }, () => handshake('r%20', cookie('secret-session')))
  await meet({ rule: 'noCookies', code: 4001, room: 'theirs', credentials: [], reason: 'No cookies' }, async () => {
    const client = await openBare(t, `${wsUrl}/collaboration/ws/`, { origin })
    client.ws.send(auth('theirs'))
    await client.until(({ closed }) => closed !== undefined)
    t.same(client.closed, { code: 4001, reason: 'No cookies' })
  })
  await meet({ rule: 'textFrame', code: 1003, room: 'r', user: 'u1', credentials: ['cookie'] }, () => inDocument(({ ws }) => { ws.send('text') }))
  await meet({ rule: 'malformed', code: 1007, room: 'r', user: 'u1' }, () => inDocument(({ ws }) => { ws.send(Uint8Array.of(99)) }))
  await meet({ rule: 'frameTooLarge', code: 1009, room: 'r' }, () => inDocument(({ ws }) => { ws.send(new Uint8Array(1001)) }))
  await meet({ rule: 'brokenFrame', code: 1002, room: 'r' }, () => inDocument(({ ws }) => {
    // An unmasked frame of a client (RFC 6455, section 5.1), past `ws`, which masks. Its stream is private.
    ;(ws as unknown as { _socket: NodeJS.WritableStream })._socket.write(Buffer.from([0x82, 1, 0]))
  }))
  for (let i = 0; i < 3; i++) await app.inject({ url: '/collaboration/api/get-connections/?room=r', headers: { authorization: 'wrong-secret' } })
  t.match(refusals(), expected)
  t.equal(refusals().length, expected.length)
  t.equal(app.refusals.counts.get('secret'), 4, 'a repetition within 10 s is counted, not logged')
  for (const word of ['wrong-secret', 'secret-session', 'wrong-ticket']) t.notOk(JSON.stringify(refusals()).includes(word), word)
})

t.test('A document that is refused on a Hocuspocus socket is logged with its token\'s kind, and with its user once known', async (t) => {
  const { app, wsUrl, open, refusals } = await start(t, { RECHECK_INTERVAL_MS: '10' })
  const client = await openBare(t, `${wsUrl}/collaboration/ws/`, cookie('s'))
  client.ws.send(auth('a', 'forged'))
  await client.until(({ heard }) => heard.some(isDenied))
  t.match(refusals(), [{ rule: 'ticketInvalid', code: 4401, room: 'a', credentials: ['cookie', 'ticket'] }])
  open.add('r')
  client.ws.send(auth('r'))
  await eventually(() => app.rooms.size('r') === 1)
  open.delete('r')
  await eventually(() => refusals().length === 2)
  t.match(refusals()[1], { rule: 'forbidden', code: 4403, room: 'r', user: 'u1', credentials: ['cookie'] })
})
