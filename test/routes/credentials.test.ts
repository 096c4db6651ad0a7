/** The secrets, keys and schemes that each kind of route accepts. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { asDjango, build, listen, secret } from '../helper.ts'
import { connectBare } from '../clients/bare-client.ts'
import { mint } from '../service/tickets.ts'
import { forbidden } from './answer-table.ts'

const reset = '/collaboration/api/reset-connections'
const connections = '/collaboration/api/get-connections'
const env = { COLLABORATION_SERVER_SECRET_PREVIOUS: 'the-secret-of-last-year', Y_PROVIDER_API_KEY: 'a-key-for-conversion' }

t.test('The two routes accept only the raw secrets', async (t) => {
  const app = await build(t, env)
  for (const url of [`${reset}/?room=r`, `${connections}/?room=r&sessionKey=s`]) {
    const method = url.startsWith(reset) ? 'POST' : 'GET'
    for (const authorization of [secret, ...Object.values(env)]) {
      t.not((await app.inject({ method, url, headers: { authorization } })).statusCode, 403, authorization)
    }
    for (const authorization of ['', 'wrong', secret.toUpperCase(), `Bearer ${secret}`, `bearer ${secret}`, `Basic ${secret}`, `${secret}, ${secret}`, `"${secret}"`]) {
      const response = await app.inject({ method, url, headers: { authorization } })
      t.same([response.statusCode, response.body], [403, forbidden], authorization)
    }
    for (const headers of [{ cookie: 'sessionid=s' }, { 'x-authorization': secret }]) {
      t.equal((await app.inject({ method, url: `${url}&token=${await mint('r')}&authorization=${secret}`, headers })).statusCode, 403)
    }
  }
})

t.test('Each kind of route accepts its own keys and schemes', async (t) => {
  const keys = { secret, previous: env.COLLABORATION_SERVER_SECRET_PREVIOUS, apiKey: env.Y_PROVIDER_API_KEY, wrong: 'wrong-key-of-somebody' }
  const schemes = { raw: '', Bearer: 'Bearer ', bearer: 'bearer ', Basic: 'Basic ' }
  const routes = { http: '/metrics', unknown: '/elsewhere', socket: '/collaboration/ws/r', ping: '/ping', ready: '/health/ready' }
  const opened = { http: 200, unknown: 404, socket: 404, ping: 200, ready: 200 }
  const { app, wsUrl } = await listen(t, env)
  const same = await build(t, { Y_PROVIDER_API_KEY: secret })
  for (const [key, value] of Object.entries(keys)) {
    for (const [scheme, word] of Object.entries(schemes)) {
      const headers = { authorization: word + value }
      for (const [kind, url] of Object.entries(routes) as Array<[keyof typeof routes, string]>) {
        const isPublic = kind === 'ping' || kind === 'ready'
        const bySecret = scheme === 'raw' && (key === 'secret' || key === 'previous')
        const byKey = key === 'apiKey' && scheme !== 'Basic' && kind !== 'socket'
        const response = await app.inject({ url, headers })
        t.equal(response.statusCode, isPublic || bySecret || byKey ? opened[kind] : 403, `${scheme} ${key} ${kind}`)
        if (response.statusCode === 403) t.equal(response.body, forbidden)
      }
      const socket = connectBare(t, wsUrl + routes.socket, headers)
      await socket.until((heard) => heard.isOpen || heard.refused !== undefined)
      t.equal(socket.refused?.status, scheme === 'raw' && (key === 'secret' || key === 'previous') ? undefined : 403, `${scheme} ${key} handshake`)
    }
  }
  t.equal((await same.inject({ url: '/metrics', headers: { authorization: secret } })).statusCode, 200)
  t.equal((await same.inject({ url: '/metrics', headers: { authorization: `Bearer ${secret}` } })).statusCode, 403, 'an API key that equals the secret')
})

t.test('A WebSocket handshake with wrong credentials or to a wrong path is refused with an HTTP status', async (t) => {
  const { wsUrl } = await listen(t, env)
  for (const path of ['/collaboration/ws/r', '/collaboration/ws/r/', '/collaboration/ws/?room=r', '/collaboration/ws?room=r', '/collaboration/ws/']) {
    for (const [headers, body] of [
      [{ authorization: 'wrong' }, forbidden],
      [{ authorization: '' }, forbidden],
      [{ authorization: `Bearer ${secret}` }, forbidden],
      [{ authorization: secret.toUpperCase() }, forbidden],
      [{ authorization: env.Y_PROVIDER_API_KEY }, forbidden],
    ] as const) {
      const refused = connectBare(t, wsUrl + path, headers)
      await refused.until((heard) => heard.refused !== undefined)
      t.same(refused.refused, { status: 403, body }, `${path} ${JSON.stringify(headers)}`)
    }
    const bearer = connectBare(t, `${wsUrl}${path}${path.includes('?') ? '&' : '?'}token=${await mint('r')}`, { authorization: `Bearer ${secret}` })
    await bearer.until((heard) => heard.refused !== undefined)
    t.equal(bearer.refused?.status, 403, 'a valid ticket does not make up for a wrong header')
  }
  const nothing = connectBare(t, `${wsUrl}/collaboration/ws/r`)
  await nothing.until((heard) => heard.refused !== undefined)
  t.same(nothing.refused, { status: 403, body: forbidden })
  for (const path of ['/collaboration/WS/r', '/elsewhere']) {
    const lost = connectBare(t, wsUrl + path, asDjango)
    await lost.until((heard) => heard.refused !== undefined)
    t.equal(lost.refused?.status, 404, path)
  }
})

t.test('A handshake with two tickets is refused', async (t) => {
  const { wsUrl } = await listen(t)
  const token = await mint('r')
  const refused = connectBare(t, `${wsUrl}/collaboration/ws/r?token=${token}&token=${token}`)
  await refused.until(({ closed }) => closed !== undefined)
  t.same(refused.closed, { code: 4401, reason: 'The request carries more than one ticket.' })
})

t.test('A repeated Authorization header is not the secret', async (t) => {
  const { port } = await listen(t)
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => { heard += text })
  socket.write(`GET /collaboration/ws/r HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: wrong\r\nAuthorization: ${secret}\r\n\r\n`)
  await once(socket, 'close')
  t.match(heard, /^HTTP\/1\.1 403 /)
})
