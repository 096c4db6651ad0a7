import { connect } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { asDjango, build, listen, secret } from './helper.ts'

const forbidden = { error: 'Forbidden: Invalid API Key' }
const invalidOrigin = { error: 'CORS policy violation: Invalid Origin' }

await t.test('The public routes need no secret, with or without a trailing slash', async (t) => {
  const app = await build(t)
  for (const [url, body] of [['/ping', { message: 'pong' }], ['/health/ready', { status: 'ready' }]] as const) {
    for (const variant of [url, url + '/', url + '?x=1']) {
      const response = await app.inject(variant)
      t.equal(response.statusCode, 200, variant)
      t.same(response.json(), body)
    }
  }
  const head = await app.inject({ method: 'HEAD', url: '/ping' })
  t.equal(head.statusCode, 200)
  t.equal(head.body, '')
})

await t.test('Every other route, unknown ones too, requires the raw secret', async (t) => {
  const app = await build(t)
  const wrong = [undefined, '', 'wrong', secret.toUpperCase(), `Bearer ${secret}`, `${secret}x`, secret.slice(1)]
  for (const authorization of wrong) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'] as const) {
      const response = await app.inject({ method, url: '/nowhere', headers: authorization === undefined ? {} : { authorization } })
      t.equal(response.statusCode, 403, `${method} with ${authorization}`)
      if (method !== 'HEAD') t.equal(response.body, JSON.stringify(forbidden))
    }
  }
})

await t.test('With the secret an unknown route is 404, whatever is sent to it', async (t) => {
  const app = await build(t)
  for (const request of [
    { method: 'GET', url: '/nowhere' },
    { method: 'POST', url: '/' },
    { method: 'POST', url: '/ping' },
    { method: 'POST', url: '/nowhere', headers: { 'content-type': 'application/xml' }, payload: '<a/>' },
    { method: 'POST', url: '/nowhere', headers: { 'content-type': 'application/json' }, payload: '{' },
    { method: 'OPTIONS', url: '/nowhere' },
    { method: 'DELETE', url: '/PING' },
  ] as const) {
    const response = await app.inject({ ...request, headers: { ...('headers' in request ? request.headers : {}), ...asDjango } })
    t.equal(response.statusCode, 404, `${request.method} ${request.url}`)
    t.equal(response.body, '{"error":"Not found"}')
    t.match(response.headers['content-type'], /^application\/json/)
  }
})

await t.test('/ names the service in one line, without its version', async (t) => {
  const app = await build(t)
  const { statusCode, headers, body } = await app.inject('/')
  t.equal(statusCode, 200)
  t.match(headers['content-type'], /^text\/plain/)
  t.match(body, /^y-provider: [^\n\d]+\n$/)
})

await t.test('OPTIONS lists the methods of every route without the secret; preflights are answered as before', async (t) => {
  const app = await build(t)
  for (const [url, allow] of [
    ['/', 'GET, HEAD, OPTIONS'], ['/ping', 'GET, HEAD, OPTIONS'], ['/health/ready', 'GET, HEAD, OPTIONS'], ['/metrics', 'GET, HEAD, OPTIONS'], ['/api/convert', 'OPTIONS, POST'],
    ['/api/convert-markdown', 'OPTIONS, POST'], ['/collaboration/api/reset-connections', 'OPTIONS, POST'], ['/collaboration/api/get-connections', 'GET, HEAD, OPTIONS'],
  ] as const) {
    for (const [path, headers] of [[url, {}], [url === '/' ? url : url + '/', {}], [url, { origin: 'http://localhost:3000' }], [url, { 'access-control-request-method': 'GET' }]] as const) {
      const response = await app.inject({ method: 'OPTIONS', url: path, headers })
      t.equal(response.statusCode, 204, `${path} ${JSON.stringify(headers)}`)
      t.equal(response.headers.allow, allow, path)
      t.equal(response.body, '')
    }
  }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/collaboration/ws/a' })).headers.allow, 'GET, HEAD, OPTIONS')
  t.equal((await app.inject({ method: 'OPTIONS', url: '/nowhere' })).statusCode, 403, 'no route')
})

await t.test('A disallowed origin is refused first, on every route', async (t) => {
  const app = await build(t, { COLLABORATION_SERVER_ORIGIN: 'https://docs.example.org, http://localhost:3000/' })
  for (const origin of ['https://evil.example', 'null', 'https://docs.example.org.evil.example', 'http://docs.example.org', '']) {
    for (const url of ['/ping', '/nowhere', '/%']) {
      for (const method of ['GET', 'OPTIONS'] as const) {
        const response = await app.inject({ method, url, headers: { origin, 'access-control-request-method': 'GET' } })
        t.equal(response.statusCode, 403, `${method} ${url} from ${origin}`)
        t.same(response.json(), invalidOrigin)
        t.notOk(response.headers['access-control-allow-origin'])
      }
    }
  }
})

await t.test('An allowed origin gets its headers, on errors too, and its preflight needs no secret', async (t) => {
  const app = await build(t, { COLLABORATION_SERVER_ORIGIN: 'https://docs.example.org, http://localhost:3000/' })
  const origin = 'http://localhost:3000'
  for (const url of ['/ping', '/nowhere']) {
    const { headers } = await app.inject({ url, headers: { origin } })
    t.equal(headers['access-control-allow-origin'], origin)
    t.equal(headers['access-control-allow-credentials'], 'true')
    t.equal(headers.vary, 'Origin')
  }
  const preflight = await app.inject({ method: 'OPTIONS', url: '/api/convert/', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } })
  t.equal(preflight.statusCode, 204)
  t.equal(preflight.body, '')
  t.equal(preflight.headers['access-control-allow-origin'], origin)
  t.equal(preflight.headers['access-control-allow-headers'], 'authorization,content-type')
  t.match(preflight.headers['access-control-allow-methods'], 'POST')
})

await t.test('* allows any origin by echoing it, since browsers reject * together with cookies', async (t) => {
  const app = await build(t, { COLLABORATION_SERVER_ORIGIN: '*' })
  const { headers } = await app.inject({ url: '/ping', headers: { origin: 'https://anywhere.example' } })
  t.equal(headers['access-control-allow-origin'], 'https://anywhere.example')
})

await t.test('A malformed URL is refused like an unknown route', async (t) => {
  const app = await build(t)
  const withoutSecret = await app.inject('/%')
  t.equal(withoutSecret.statusCode, 403)
  t.same(withoutSecret.json(), forbidden)
  const django = await app.inject({ url: '/%', headers: asDjango })
  t.equal(django.statusCode, 400)
  t.same(django.json(), { error: 'Malformed URL' })
})

await t.test('An internal error shows no details and is logged with its cause', async (t) => {
  const lines: string[] = []
  const app = await build(t, {}, { write: (line) => { lines.push(line) } })
  app.get('/broken', async () => { throw new Error('the database password is hunter2') })
  const response = await app.inject('/broken')
  t.equal(response.statusCode, 500)
  t.equal(response.body, '{"error":"Internal server error"}')
  t.match(lines.join(''), 'hunter2', 'the log contains the cause')
})

await t.test('Credentials do not reach the log', async (t) => {
  const lines: string[] = []
  const app = await build(t, { LOG_LEVEL: 'trace' }, { write: (line) => { lines.push(line) } })
  const hidden = 'eyJhbGciOiJIUzI1NiJ9'
  await app.inject({ url: `/nowhere?room=a&token=${hidden}`, headers: { authorization: hidden, cookie: `sessionid=${hidden}` } })
  await app.inject({ url: `/nowhere?${hidden}&%74oken=${hidden}&sessionKey=${hidden}` })
  await app.inject({ url: `/%?token=${hidden}`, headers: asDjango })
  app.log.info({ headers: { authorization: hidden, cookie: hidden }, token: hidden, res: { headers: { authorization: hidden } } }, 'somebody logs headers')
  t.match(lines.join(''), 'room=a&token=[redacted]')
  t.notMatch(lines.join(''), hidden)
  t.notMatch(lines.join(''), secret)
})

/** The answer of the service to these bytes before it disconnects. */
async function say (port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => { heard += text }).on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return heard
}

await t.test('Bytes that are not HTTP are answered in the same format', async (t) => {
  const { port } = await listen(t)
  t.match(await say(port, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*\{"error":"Malformed HTTP request"\}$/)
  t.match(await say(port, `GET /ping HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(40_000)}\r\n\r\n`), /^HTTP\/1\.1 431 [\s\S]*\{"error":"Request headers too large"\}$/)
  t.match(await say(port, 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*\{"error":"Malformed HTTP request"\}$/)
})

await t.test('Readiness follows its checks', async (t) => {
  const app = await build(t)
  let away = true
  app.readiness.add('store', async () => { if (away) throw new Error('away') })
  const notReady = await app.inject('/health/ready')
  t.equal(notReady.statusCode, 503)
  t.same(notReady.json(), { error: 'Not ready: store' })
  away = false
  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

await t.test('A service that is stopping is not ready and starts nothing new', async (t) => {
  const app = await build(t)
  app.get('/work', { onRequest: app.refuseWhileDraining }, async () => 'done')
  const answers: unknown[] = []
  app.addHook('preClose', async () => {
    for (const path of ['/ping', '/health/ready', '/work']) {
      const response = await fetch(new URL(path, app.listeningOrigin))
      answers.push([path, response.status, await response.json()])
    }
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.close()
  t.same(answers, [
    ['/ping', 200, { message: 'pong' }],
    ['/health/ready', 503, { error: 'Not ready: stopping' }],
    ['/work', 503, { error: 'The service is stopping: try again' }],
  ])
})

await t.test('Each part of the start gets the rest of 8 s, and at least half a second', async (t) => {
  const real = performance.now.bind(performance)
  const app = await build(t)
  const left = app.patienceMs()
  t.ok(left > 500 && left < 8000)
  t.intercept(performance, 'now', { value: () => real() + 8000 })
  t.equal(app.patienceMs(), 500)
})
