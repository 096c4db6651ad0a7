import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { openBackend } from '../../src/access/backend.ts'
import { Epochs } from '../../src/access/epochs.ts'
import type { Question } from '../../src/access/backend-inquiry.ts'
import type { Verdict } from '../../src/access/verdict.ts'
import { answer, captureLog, mayEdit, mayRead, open, routes, startDjango } from './django.ts'
import type { Handler } from './django.ts'

const question: Question = { room: 'r1', asker: 'session 1', cookie: 'sessionid=s1', origin: 'https://docs.example' }

const always = (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_, response) => answer(response, status, body, headers)

t.test('Django\'s answer about a document becomes the verdict', async (t) => {
  const cases: Array<[name: string, document: Handler, verdict: object, cause?: string]> = [
    ['can edit', always(200, mayEdit), { allowed: true, canEdit: true, userId: 'u1' }],
    ['can read', always(200, mayRead), { allowed: true, canEdit: false, userId: 'u1' }],
    ['no word on update', always(200, { abilities: { retrieve: true } }), { allowed: true, canEdit: false }],
    ['update is not a real true', always(200, { abilities: { retrieve: true, update: 'yes' } }), { allowed: true, canEdit: false }],
    ['no access', always(200, { abilities: { retrieve: false, update: true } }), { permanent: true, code: 4403 }],
    ['401', always(401, {}), { permanent: true, code: 4403 }],
    ['403', always(403, '<html>'), { permanent: true, code: 4403 }],
    ['404', always(404, ''), { permanent: true, code: 4403 }],
    ['403 with an endless page', (_, response) => { response.writeHead(403).write('x'.repeat(200_000)) }, { permanent: true, code: 4403 }],
    ['301', always(301, '', { location: 'https://docs.example/login/?next=secret' }), { permanent: false, code: 4503 }, 'redirect'],
    ['302 to where the answer would be yes', always(302, '', { location: '/api/v1.0/users/me/' }), { code: 4503 }, 'redirect'],
    ['400', always(400, ''), { code: 4503 }, 'unexpected-status'],
    ['204', (_, response) => { response.writeHead(204).end() }, { code: 4503 }, 'unexpected-status'],
    ['429', always(429, '', { 'retry-after': '7' }), { code: 4503, retryAfterMs: 7000 }, 'rate-limited'],
    ['429 for a day', always(429, '', { 'retry-after': '86400' }), { code: 4503, retryAfterMs: 300_000 }, 'rate-limited'],
    ['429 until a date', always(429, '', { 'retry-after': 'Fri, 15 Jan 2027 08:00:09 GMT' }), { code: 4503, retryAfterMs: 9000 }, 'rate-limited'],
    ['429 with nonsense', always(429, '', { 'retry-after': 'soon' }), { code: 4503, retryAfterMs: undefined }, 'rate-limited'],
    ['500', always(500, '<html>'), { code: 4503 }, 'server-error'],
    ['503', always(503, '', { 'retry-after': '2' }), { code: 4503, retryAfterMs: 2000 }, 'server-error'],
    ['a login page', always(200, '<html>login</html>'), { code: 4503 }, 'not-json'],
    ['nothing', always(200, ''), { code: 4503 }, 'not-json'],
    ['a list', always(200, []), { code: 4503 }, 'wrong-shape'],
    ['null', always(200, 'null'), { code: 4503 }, 'wrong-shape'],
    ['no abilities', always(200, { id: 'r1' }), { code: 4503 }, 'wrong-shape'],
    ['abilities of another kind', always(200, { abilities: { retrieve: 'true' } }), { code: 4503 }, 'wrong-shape'],
    ['huge', always(200, { ...mayEdit, content: 'x'.repeat(70_000) }), { code: 4503 }, 'too-large'],
    ['hangs up', (request) => { request.socket.destroy() }, { code: 4503 }, 'unreachable'],
    ['hangs up within the body', (_, response) => { response.writeHead(200, { 'content-length': '1000' }).write('{', () => { response.destroy() }) }, { code: 4503 }, 'unreachable'],
  ]
  for (const [name, document, verdict, cause] of cases) {
    await t.test(name, async (t) => {
      const { logger, text } = captureLog()
      const django = await startDjango(t, routes(document))
      const now = () => Date.UTC(2027, 0, 15, 8)
      const backend = open(t, { baseUrl: django.baseUrl, logger, maxAnswerBytes: 64 * 1024, now })
      t.match(await backend.ask(question), verdict)
      if (cause !== undefined) t.match(text(), `"cause":"${cause}"`, 'the log names the cause')
      t.notMatch(text(), /secret|s1/, 'and nothing else')
      t.equal(django.asked[0], '/api/v1.0/documents/r1/')
      t.equal(django.asked.length, 'allowed' in verdict ? 2 : 1, 'a refusal costs one call')
    })
  }
})

t.test('A backend that is too slow, with its headers or its body, counts as unavailable', async (t) => {
  const slow: Record<string, Handler> = {
    headers: () => {},
    body: (_, response) => { response.writeHead(200).write('{') },
  }
  for (const [name, handler] of Object.entries(slow)) {
    const { logger, text } = captureLog()
    const django = await startDjango(t, handler)
    const verdict = await open(t, { baseUrl: django.baseUrl, logger, timeoutMs: 50 }).ask(question)
    t.match(verdict, { allowed: false, permanent: false, code: 4503 }, name)
    t.match(text(), '"cause":"timeout"', name)
  }
})

t.test('A refusal with a slow body is still a refusal', async (t) => {
  const django = await startDjango(t, (_, response) => { response.writeHead(403).write('<html>') })
  t.match(await open(t, { baseUrl: django.baseUrl, timeoutMs: 50 }).ask(question), { permanent: true, code: 4403 })
})

t.test('A backend that is unreachable counts as unavailable', async (t) => {
  const { logger, text } = captureLog()
  const django = await startDjango(t, always(200, mayEdit))
  await django.stop()
  t.match(await open(t, { baseUrl: django.baseUrl, logger }).ask(question), { permanent: false, code: 4503 })
  t.match(text(), '"code":"ECONNREFUSED"')
})

t.test('If the user call fails, the visitor is anonymous', async (t) => {
  const failures: Array<[string, Handler, string?]> = [
    ['401', always(401, {})],
    ['403', always(403, {})],
    ['500', always(500, ''), 'server-error'],
    ['301', always(301, ''), 'redirect'],
    ['not JSON', always(200, '<html>'), 'not-json'],
    ['no id', always(200, {}), 'wrong-shape'],
    ['hangs up', (request) => { request.socket.destroy() }, 'unreachable'],
  ]
  for (const [name, user, cause] of failures) {
    const { logger, text } = captureLog()
    const django = await startDjango(t, routes(always(200, mayEdit), user))
    const verdict = await open(t, { baseUrl: django.baseUrl, logger }).ask(question)
    t.match(verdict, { allowed: true, canEdit: true, userId: undefined }, name)
    if (cause === undefined) t.equal(text(), '', 'an anonymous visitor is not a fault')
    else t.match(text(), `"cause":"${cause}"`, name)
  }
})

t.test('Ids are strings, or the whole numbers of Django\'s default', async (t) => {
  const django = await startDjango(t, routes(always(200, mayRead), always(200, { id: 7 })))
  t.match(await open(t, { baseUrl: django.baseUrl }).ask(question), { userId: '7' })
})

t.test('Both calls carry the browser\'s cookie, origin and protocol, and none of its other headers', async (t) => {
  const seen: object[] = []
  const record: Handler = ({ headers }, response) => {
    const { host, connection, ...rest } = headers
    seen.push(rest)
    answer(response, 200, { id: 'u1', ...mayRead })
  }
  const django = await startDjango(t, record)
  const backend = open(t, { baseUrl: `${django.baseUrl}/prefix/`, documentPath: '/docs/{room}/?without_content=true', userPath: 'me' })
  await backend.ask({ ...question, cookie: 'sessionid=s1; name="é"', forwardedProto: 'https' })
  const common = { accept: 'application/json', 'user-agent': 'y-provider' }
  const expected = { ...common, cookie: 'sessionid=s1; name="é"', origin: 'https://docs.example', 'x-forwarded-proto': 'https' }
  t.same(seen, [expected, expected])
  t.same(django.asked, ['/prefix/docs/r1/?without_content=true', '/prefix/me'])
  seen.length = 0
  await backend.ask({ room: 'r1', asker: 'address ::1' })
  t.same(seen, [common, common], 'missing headers are not sent')
})

t.test('Both calls carry the API key if one is set', async (t) => {
  const keys: unknown[] = []
  const django = await startDjango(t, ({ headers }, response) => {
    keys.push(headers['x-y-provider-key'])
    answer(response, 200, { id: 'u1', ...mayRead })
  })
  await open(t, { baseUrl: django.baseUrl, apiKey: 'key-of-conversion' }).ask(question)
  await open(t, { baseUrl: django.baseUrl, apiKey: '' }).ask(question)
  t.same(keys, ['key-of-conversion', 'key-of-conversion', undefined, undefined])
})

t.test('An answer can contain the whole document, before or after its abilities', async (t) => {
  const content = 'x'.repeat(32 * 1024 * 1024)
  const django = await startDjango(t, routes(({ url }, response) => {
    answer(response, 200, url?.includes('first') === true ? { ...mayEdit, content } : { content, nested: mayRead, ...mayEdit })
  }))
  const backend = open(t, { baseUrl: django.baseUrl })
  for (const room of ['first', 'last']) t.match(await backend.ask({ ...question, room }), { allowed: true, canEdit: true, userId: 'u1' }, room)
})

t.test('A compressed answer is decoded, and its decoded size is bounded', async (t) => {
  const body = gzipSync(JSON.stringify({ content: 'x'.repeat(100_000), ...mayEdit }))
  const bodies: Record<string, Buffer> = { whole: body, truncated: body.subarray(0, -20), damaged: Buffer.from('no gzip') }
  const { logger, lines } = captureLog()
  const django = await startDjango(t, routes((request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bodies[request.url?.split('/')[4] ?? ''])
  }))
  const backend = open(t, { baseUrl: django.baseUrl, logger })
  t.match(await backend.ask({ ...question, room: 'whole' }), { allowed: true, canEdit: true })
  t.match(await backend.ask({ ...question, room: 'truncated' }), { code: 4503 })
  t.match(await backend.ask({ ...question, room: 'damaged' }), { code: 4503 })
  t.match(await open(t, { baseUrl: django.baseUrl, logger, maxAnswerBytes: 50_000 }).ask({ ...question, room: 'whole' }), { code: 4503 })
  t.match(lines.at(-1), '"cause":"too-large"')
})

t.test('A room\'s name cannot change the rest of the path', async (t) => {
  const django = await startDjango(t, routes(always(200, mayEdit)))
  const backend = open(t, { baseUrl: django.baseUrl })
  for (const room of ['', '.', '..', '\ud800', 'a\udc00b']) {
    t.match(await backend.ask({ ...question, room }), { permanent: true, code: 4403 }, JSON.stringify(room))
  }
  for (const cookie of ['a=\r\nx-user-id: admin', 'a=\0', 'a=\u0100']) {
    t.match(await backend.ask({ ...question, cookie }), { permanent: true, code: 4403 }, JSON.stringify(cookie))
  }
  t.same(django.asked, [], 'nothing was sent')
  const names = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.stringMatching(/^[./\\?#%&$'`;@:\r\n 2eE]{1,8}$/))
  await fc.assert(fc.asyncProperty(names.filter((name) => name !== '.' && name !== '..' && !/\p{Surrogate}/u.test(name)), async (room) => {
    django.asked.length = 0
    const { allowed } = await backend.ask({ ...question, room })
    const path = django.asked.find((url) => url.startsWith('/api/v1.0/documents/')) ?? ''
    const segment = /^\/api\/v1\.0\/documents\/([^/?#]+)\/$/.exec(path)?.[1] ?? ''
    return allowed && decodeURIComponent(segment) === room
  }), { numRuns: 200 })
})

t.test('2,000 clients of 200 users: one call per question, N at a time, user calls shared', async (t) => {
  const held: ServerResponse[] = []
  let gateOpen = false
  const django = await startDjango(t, ({ headers, url = '' }, response) => {
    const user = /sessionid=(\w+)/.exec(headers.cookie ?? '')?.[1]
    const reply = () => answer(response, 200, url.includes('/me/') ? { id: user } : mayEdit)
    if (gateOpen) setImmediate(reply)
    else held.push(response.on('go', reply))
  })
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 10 })
  const questions = Array.from({ length: 2000 }, (_, i) => ({ user: `u${i % 200}`, room: `r${(i % 400) % 7}-${i % 2}` }))
  const unique = new Set(questions.map(({ user, room }) => `${user} ${room}`)).size
  const asking = questions.map(({ user, room }) => backend.ask({ room, asker: user, cookie: `sessionid=${user}`, origin: 'https://docs.example' }))
  await django.untilAsked(10)
  t.equal(held.length, 10, 'the allowed number of calls is in progress, all others wait')
  gateOpen = true
  for (const response of held) response.emit('go')
  const verdicts = await Promise.all(asking)
  verdicts.forEach((verdict, i) => {
    if (!verdict.allowed || verdict.userId !== questions[i]?.user) t.fail(`question ${i} has the answer to a different one`)
  })
  t.equal(django.asked.filter((url) => url.includes('/documents/')).length, unique, 'one document call per unique question')
  t.ok(django.asked.filter((url) => url.includes('/me/')).length <= unique, 'at most one user call for each')
  t.ok(django.maxInFlight() <= 10, `${django.maxInFlight()} in progress at most`)
})

t.test('Questions that differ in any part are asked separately', async (t) => {
  const django = await startDjango(t, routes(always(200, mayEdit)))
  const backend = open(t, { baseUrl: django.baseUrl })
  await Promise.all([question, question, { ...question, room: 'r2' }, { ...question, cookie: 'sessionid=s2' }, { ...question, origin: 'https://other.example' },
    { ...question, forwardedProto: 'https' }].map((each) => backend.ask(each)))
  t.equal(django.asked.filter((url) => url.includes('/documents/')).length, 5)
})

t.test('Askers take turns: a question waits for one question of each other asker, not for a whole flood', async (t) => {
  const held: ServerResponse[] = []
  const django = await startDjango(t, routes((_, response) => { held.push(response) }))
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 2 })
  const ask = (asker: string, room: string) => backend.ask({ room, asker, cookie: `sessionid=${asker}` })
  const asked = ['flood 1', 'flood 2', 'flood 3'].flatMap((asker) => Array.from({ length: 40 }, (_, i) => ask(asker, `${asker}-${i}`)))
  const honest = ask('honest', 'honest')
  for (let answered = 0; !django.asked.some((url) => url.includes('honest')); answered++) {
    await django.untilAsked(answered + 2)
    answer(held[answered] as ServerResponse, 403, {}) // untilAsked: it exists
  }
  t.ok(django.asked.length <= 2 + 3 + 1, `after ${django.asked.length - 1} others`)
  t.equal(new Set(django.asked.slice(2, 5).map((url) => decodeURIComponent(url).split('-')[0])).size, 3, 'one of each')
  backend.close()
  await Promise.all([...asked, honest])
})

t.test('One asker can fill at most a tenth of the queue', async (t) => {
  const django = await startDjango(t, routes(() => {}))
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 1, maxWaiting: 20 })
  const asked = Array.from({ length: 3 }, (_, i) => backend.ask({ ...question, room: `flood-${i}` }))
  t.match(await backend.ask({ ...question, room: 'one too many' }), { permanent: false, code: 4503 })
  const honest = backend.ask({ ...question, asker: 'honest', room: 'honest' })
  // Without room in the queue, it would be answered within one turn, like the one too many.
  const nextTurn = new Promise((resolve) => { setImmediate(resolve, 'still waits') })
  t.equal(await Promise.race([honest, nextTurn]), 'still waits')
  backend.close()
  await Promise.all([...asked, honest])
})

t.test('A visitor without a session does not wait for another visitor\'s identical question', async (t) => {
  const held: ServerResponse[] = []
  const django = await startDjango(t, routes((_, response) => { held.push(response) }))
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 1 })
  const ask = (asker: string, room: string) => backend.ask({ room, asker })
  const flood = [...Array.from({ length: 20 }, (_, i) => ask('flood', `r${i}`)), ask('flood', 'public')]
  const honest = ask('honest', 'public')
  for (let answered = 0; answered < 2; answered++) {
    await django.untilAsked(answered + 1)
    answer(held[answered] as ServerResponse, 403, {}) // untilAsked: it exists
  }
  await django.untilAsked(3)
  t.match(django.asked[2], '/public/')
  backend.close()
  await Promise.all([...flood, honest])
})

t.test('A full queue and a turn that comes too late are transient, and the next question gets its turn', async (t) => {
  const { logger, text } = captureLog()
  let now = 0
  const held: ServerResponse[] = []
  const django = await startDjango(t, routes((_, response) => { held.push(response) }))
  const backend = open(t, {
    baseUrl: django.baseUrl,
    maxCalls: 1,
    maxWaiting: 1,
    maxWaitMs: 1000,
    logger,
    now: () => now,
  })
  const first = backend.ask({ ...question, room: 'first' })
  const second = backend.ask({ ...question, room: 'second' })
  t.match(await backend.ask({ ...question, room: 'third' }), { permanent: false, code: 4503 })
  t.match(text(), '"code":"full"')
  await django.untilAsked(1)
  now = 1001
  answer(held[0] as ServerResponse, 200, mayEdit) // untilAsked: it exists
  t.match(await first, { allowed: true })
  t.match(await second, { permanent: false, code: 4503 })
  t.match(text(), '"code":"late"')
  const fourth = backend.ask({ ...question, room: 'fourth' })
  await django.untilAsked(3)
  answer(held[1] as ServerResponse, 200, mayRead) // first, its user, fourth
  t.match(await fourth, { allowed: true })
})

/** A Django whose document answers are sent one by one, when the test says so. */
async function startHeld (t: Parameters<typeof startDjango>[0]) {
  const held: ServerResponse[] = []
  const django = await startDjango(t, routes((_, response) => { held.push(response) }))
  const documents = () => django.asked.filter((url) => url.includes('/documents/')).length
  const reply = (index: number, body: unknown) => {
    const response = held[index]
    if (response === undefined) throw new Error(`no document call ${index}`)
    answer(response, 200, body)
  }
  return { ...django, documents, reply }
}

t.test('A reset during a question discards the old answer', async (t) => {
  const django = await startHeld(t)
  const epochs = new Epochs()
  const backend = open(t, { baseUrl: django.baseUrl, cacheMs: 60_000, epochs })
  const before = [backend.ask(question), backend.ask(question)]
  await django.untilAsked(1)
  epochs.reset('r1', 'u9')
  const after = backend.ask(question)
  await django.untilAsked(2)
  django.reply(1, { abilities: { retrieve: false } })
  t.match(await after, { permanent: true, code: 4403 })
  django.reply(0, mayEdit)
  await django.untilAsked(4)
  django.reply(2, { abilities: { retrieve: false } })
  for (const verdict of await Promise.all(before)) t.match(verdict, { permanent: true, code: 4403 }, 'the asker from before the reset is asked about again')
  t.equal(django.documents(), 3, 'once, for both')
})

t.test('A reset of another room, or from before the question was sent, has no effect', async (t) => {
  const django = await startHeld(t)
  const epochs = new Epochs()
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 1, epochs })
  const first = backend.ask(question)
  const queued = backend.ask({ ...question, room: 'r2' })
  await django.untilAsked(1)
  epochs.reset('r2')
  django.reply(0, mayEdit)
  t.match(await first, { allowed: true })
  await django.untilAsked(3)
  django.reply(1, mayEdit)
  t.match(await queued, { allowed: true })
  t.equal(django.documents(), 2)
})

for (const [who, userId, verdict] of [
  ['of the room', undefined, { permanent: false, code: 4503 }],
  ['of the user', 'u1', { permanent: false, code: 4503 }],
  ['of another user', 'u2', { allowed: true, userId: 'u1' }],
] as const) {
  t.test(`Endless resets ${who}`, async (t) => {
    const django = await startHeld(t)
    const epochs = new Epochs()
    const asking = open(t, { baseUrl: django.baseUrl, cacheMs: 60_000, epochs }).ask(question)
    for (let i = 0; i < 5; i++) {
      await django.untilAsked(2 * i + 1)
      epochs.reset('r1', userId)
      django.reply(i, mayEdit)
    }
    t.match(await asking, verdict)
    t.equal(django.documents(), 5)
  })
}

t.test('If caching is on, a granted access is cached until it expires, is forgotten or is bypassed', async (t) => {
  let now = 0
  let body: object = mayEdit
  const django = await startDjango(t, routes((_, response) => answer(response, 200, body)))
  const epochs = new Epochs()
  const backend = open(t, { baseUrl: django.baseUrl, cacheMs: 1000, now: () => now, epochs })
  const calls = async (change: () => void | Promise<Verdict>, verdict: object) => {
    const before = django.asked.length
    await change()
    t.match(await backend.ask(question), verdict)
    return (django.asked.length - before) / 2
  }
  t.equal(await calls(() => {}, { canEdit: true }), 1, 'asked')
  t.equal(await calls(() => { now = 999 }, { canEdit: true }), 0, 'remembered')
  t.equal(await calls(() => { now = 1000 }, { canEdit: true }), 1, 'too old')
  t.equal(await calls(() => epochs.reset('r2'), { canEdit: true }), 0, 'another room')
  t.equal(await calls(() => epochs.reset('r1', 'u2'), { canEdit: true }), 0, 'another user')
  t.equal(await calls(() => epochs.reset('r1', 'u1'), { canEdit: true }), 1)
  t.equal(await calls(() => epochs.reset('r1'), { canEdit: true }), 1)
  body = mayRead
  t.equal(await calls(() => backend.ask(question, { fresh: true }), { canEdit: false }), 1, 'a fresh answer replaces the old one')
  body = { abilities: { retrieve: false } }
  t.equal(await calls(() => backend.ask(question, { fresh: true }), { code: 4403 }), 1, 'a denial is not cached: 1 call, twice')
})

t.test('By default nothing is cached; an anonymity caused by a failure is never cached', async (t) => {
  const django = await startDjango(t, routes(always(200, mayEdit)))
  const backend = open(t, { baseUrl: django.baseUrl })
  await backend.ask(question)
  await backend.ask(question)
  t.equal(django.asked.length, 4)
  const faulty = await startDjango(t, routes(always(200, mayEdit), always(500, '')))
  const remembering = open(t, { baseUrl: faulty.baseUrl, cacheMs: 60_000 })
  await remembering.ask(question)
  await remembering.ask(question)
  t.equal(faulty.asked.length, 4)
})

t.test('A keep-alive socket that Django has closed is replaced, and not logged', async (t) => {
  let served = 0
  const django = await startDjango(t, (request, response) => {
    // The third request on a socket meets a reset, as after an idle time-out.
    if (++served % 3 === 0) request.socket.resetAndDestroy()
    else answer(response, 200, { id: 'u1', ...mayEdit })
  })
  const backend = open(t, { baseUrl: django.baseUrl })
  t.match(await backend.ask(question), { allowed: true })
  t.match(await backend.ask(question), { allowed: true })
  t.equal(served, 5)
})

t.test('Closing ends the calls in progress and the waiting questions', async (t) => {
  const django = await startHeld(t)
  const backend = open(t, { baseUrl: django.baseUrl, maxCalls: 1 })
  const asking = [backend.ask(question), backend.ask({ ...question, room: 'r2' })]
  await django.untilAsked(1)
  backend.close()
  for (const verdict of await Promise.all(asking)) t.match(verdict, { permanent: false, code: 4503 })
  t.match(await backend.ask(question), { permanent: false, code: 4503 })
  t.equal(django.documents(), 1)
})

t.test('Invalid options are rejected by name', async (t) => {
  const options = { baseUrl: 'http://django', documentPath: '/d/{room}/', userPath: '/me/', timeoutMs: 1, maxCalls: 1, logger: captureLog().logger, now: Date.now, epochs: new Epochs() }
  for (const baseUrl of ['', 'django', 'ftp://django', '//django']) t.throws(() => openBackend({ ...options, baseUrl }), /address of the backend/, baseUrl)
  t.throws(() => openBackend({ ...options, documentPath: '/d/' }), /\{room\}/)
  t.throws(() => openBackend({ ...options, maxCalls: 0 }), /at least one call/)
})
