import fc from 'fast-check'
import { SignJWT } from 'jose'
import t from 'tap'
import type { Test } from 'tap'
import { createAuthoriser } from '../../src/access/authorise.ts'
import type { AuthoriserOptions, Handshake } from '../../src/access/authorise.ts'
import { Epochs } from '../../src/access/epochs.ts'
import { recheck } from '../../src/access/recheck.ts'
import { createSecretCheck } from '../../src/access/secret-check.ts'
import { createTicketCheck } from '../../src/access/ticket.ts'
import { answer, captureLog, mayEdit, mayRead, open, routes, startDjango } from './django.ts'
import type { Handler } from './django.ts'

const djangoSecret = 'a-secret-of-django-0123456789'
const forbidden = { outcome: 'http403' }
const awaitsToken = { outcome: 'awaitAuthMessage' }
const cookieHeaders = { cookie: 'csrftoken=c; sessionid=s1', origin: 'https://docs.example' }

const refused = (code: number) => ({ outcome: 'verdict', verdict: { allowed: false, code } })
const allowed = (verdict: object) => ({ outcome: 'verdict', verdict: { allowed: true, ...verdict } })

const mint = async (claims: object = {}, secret = djangoSecret) =>
  await new SignJWT({ room: 'r1', exp: Math.floor(Date.now() / 1000) + 60, ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))

/** An authoriser with a real server in the place of Django. */
async function start (
  t: Test,
  document: Handler = (_, response) => answer(response, 200, mayRead),
  options: Partial<AuthoriserOptions> = {}
) {
  const log = captureLog()
  const django = await startDjango(t, routes(document))
  const epochs = new Epochs()
  const authoriser = createAuthoriser({
    isSecret: createSecretCheck([djangoSecret]),
    checkTicket: createTicketCheck({ secrets: [djangoSecret], now: Date.now, epochs }),
    backend: open(t, { baseUrl: django.baseUrl, logger: log.logger, epochs }),
    epochs,
    sessionCookies: ['docs_sessionid', 'sessionid'],
    ...options,
  })
  return { ...authoriser, django, log, epochs }
}

const yWebsocket = (rest: Partial<Handshake> = {}): Handshake => ({ protocol: 'y-websocket', room: 'r1', headers: {}, query: {}, address: '::1', ...rest })
const hocuspocus = (rest: Partial<Handshake> = {}): Handshake => ({ protocol: 'hocuspocus', room: 'r1', headers: {}, query: { room: 'r1', ...rest.query }, address: '::1', ...rest, })

t.test('Way 1: the secret, with the headers of the proxy', async (t) => {
  const { authoriseHandshake, django } = await start(t)
  const headers = { ...cookieHeaders, authorization: djangoSecret, 'x-user-id': 'u7', 'x-can-edit': 'False' }
  for (const make of [yWebsocket, hocuspocus]) {
    t.match(await authoriseHandshake(make({ headers })), allowed({ userId: 'u7', canEdit: false, sessionKey: 's1' }))
  }
  for (const authorization of ['', 'wrong', `Bearer ${djangoSecret}`, djangoSecret.toUpperCase()]) {
    const withTicket = yWebsocket({ headers: { ...headers, authorization }, query: { token: await mint() } })
    t.match(await authoriseHandshake(withTicket), forbidden, authorization)
    t.match(await authoriseHandshake(hocuspocus({ headers: { ...headers, authorization } })), forbidden, authorization)
  }
  t.match(await authoriseHandshake(yWebsocket({ headers: { ...headers, authorization: [djangoSecret, djangoSecret] } })), forbidden, 'repeated')
  t.equal(django.asked.length, 0, 'Django is not asked')
})

t.test('Proxy headers have no effect without the secret', async (t) => {
  const { authoriseHandshake } = await start(t)
  const headers = { 'x-user-id': 'u7', 'x-can-edit': 'True', 'x-session-key': 's7' }
  t.match(await authoriseHandshake(yWebsocket({ headers })), forbidden)
  t.match(await authoriseHandshake(yWebsocket({ headers: { ...headers, ...cookieHeaders } })), allowed({ userId: 'u1', canEdit: false, sessionKey: 's1' }))
})

t.test('Way 2: a ticket alone decides, whether valid or not', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage, django } = await start(t)
  const good = await mint({ user_id: 'u2', can_edit: true, session_key: 's2' })
  const bad = { forged: await mint({}, 'another-secret-0123456789'), room: await mint({ room: 'r2' }), expired: await mint({ exp: 1 }), text: 'x' }
  for (const make of [yWebsocket, hocuspocus]) {
    t.match(await authoriseHandshake(make({ headers: cookieHeaders, query: { token: good } })), allowed({ userId: 'u2', canEdit: true, sessionKey: 's2' }))
    for (const [name, token] of Object.entries(bad)) {
      t.match(await authoriseHandshake(make({ headers: cookieHeaders, query: { token } })), refused(4401), name)
    }
    t.match(await authoriseHandshake(make({ headers: cookieHeaders, query: { token: [good, good] } })), refused(4401), 'repeated')
    t.match(await authoriseHandshake(make({ headers: { ...cookieHeaders, authorization: 'wrong' }, query: { token: good } })), forbidden, 'does not make up for a wrong header')
  }
  t.match(await authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r1', good), { allowed: true, userId: 'u2', canEdit: true })
  for (const [name, token] of Object.entries(bad)) {
    t.match(await authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r1', token), { allowed: false, permanent: true, code: 4401 }, name)
  }
  t.equal(django.asked.length, 0, 'Django is never asked')
  t.match(await authoriseHandshake(yWebsocket({ headers: cookieHeaders, query: { token: await mint() } })), allowed({ sessionKey: 's1' }), 'the cookie names the session if the ticket does not')
})

t.test('Way 3: the cookie, after a Hocuspocus client has had time to send a token', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage, django } = await start(t)
  const reader = { userId: 'u1', canEdit: false, sessionKey: 's1' }
  t.match(await authoriseHandshake(yWebsocket({ headers: cookieHeaders })), allowed(reader))
  t.match(await authoriseHandshake(yWebsocket({ headers: cookieHeaders, query: { token: '' } })), allowed(reader), 'an empty token counts as missing')
  django.asked.length = 0
  t.match(await authoriseHandshake(hocuspocus({ headers: cookieHeaders })), awaitsToken)
  t.equal(django.asked.length, 0, 'a ticket can still arrive')
  t.match(await authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r1', ''), { allowed: true, ...reader })
})

t.test('Way 3: a denial by Django, or a Django that is unavailable, is returned unchanged', async (t) => {
  const no = await start(t, (_, response) => answer(response, 403, {}))
  t.match(await no.authoriseHandshake(yWebsocket({ headers: cookieHeaders })), refused(4403))
  t.match(await no.authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r1', ''), { permanent: true, code: 4403 })
  const away = await start(t, (_, response) => answer(response, 429, {}, { 'retry-after': '3' }))
  t.match(await away.authoriseHandshake(yWebsocket({ headers: cookieHeaders })), {
    verdict: { permanent: false, code: 4503, retryAfterMs: 3000 },
  })
  const without = await start(t, undefined, { backend: undefined })
  t.match(await without.authoriseHandshake(yWebsocket({ headers: cookieHeaders })), forbidden, 'no backend set')
  t.match(await without.authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r1', ''), { permanent: true, code: 4403 }, 'no backend set')
})

t.test('Way 4: no credentials', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage, django } = await start(t)
  t.match(await authoriseHandshake(yWebsocket()), forbidden)
  t.match(await authoriseHandshake(yWebsocket({ headers: { cookie: '' } })), forbidden)
  t.match(await authoriseHandshake(hocuspocus()), awaitsToken)
  t.strictSame(await authoriseAuthMessage(hocuspocus(), 'r1', ''), { allowed: false, permanent: true, code: 4001, rule: 'noCookies', reason: 'No cookies' }, 'a cookie would have helped')
  t.equal(django.asked.length, 0)
})

t.test('Django is asked about visitors without a cookie only if the setting says so', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage } = await start(t, undefined, { askAnonymous: true })
  t.match(await authoriseHandshake(yWebsocket()), allowed({ canEdit: false }))
  t.match(await authoriseHandshake(hocuspocus()), awaitsToken)
  t.match(await authoriseAuthMessage(hocuspocus(), 'r1', ''), { allowed: true, canEdit: false })
})

t.test('A request names exactly one room', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage, django } = await start(t)
  const headers = { authorization: djangoSecret }
  t.match(await authoriseHandshake(yWebsocket({ headers, query: { room: 'r1' } })), allowed({}), 'the same one twice')
  t.match(await authoriseHandshake(yWebsocket({ headers, query: { room: 'r2' } })), refused(4403))
  t.match(await authoriseHandshake(yWebsocket({ headers, query: { room: '' } })), refused(4403))
  t.match(await authoriseHandshake(yWebsocket({ headers, query: { room: ['r1', 'r1'] } })), refused(4403))
  t.match(await authoriseHandshake({ protocol: 'hocuspocus', headers, query: { room: ['r1', 'r1'] }, address: '::1' }), refused(4403))
  t.match(await authoriseAuthMessage(hocuspocus({ headers: cookieHeaders }), 'r2', ''), { permanent: true, code: 4403 })
  t.match(await authoriseAuthMessage(hocuspocus(), 'r2', await mint({ room: 'r2' })), { permanent: true, code: 4403 }, 'not even with its ticket')
  t.equal(django.asked.length, 0)
})

t.test('On a socket without a room each document is authorised separately, and the secret authorises none', async (t) => {
  const { authoriseHandshake, authoriseAuthMessage } = await start(t)
  const socket: Handshake = { protocol: 'hocuspocus', headers: {}, query: {}, address: '::1' }
  t.match(await authoriseHandshake(socket), awaitsToken)
  t.match(await authoriseHandshake({ ...socket, headers: { authorization: 'wrong' } }), forbidden)
  t.match(await authoriseHandshake({ ...socket, headers: { authorization: djangoSecret } }), awaitsToken)
  t.match(await authoriseAuthMessage({ ...socket, headers: { authorization: djangoSecret } }, 'r1', ''), { code: 4403 })
  t.match(await authoriseAuthMessage(socket, 'r1', await mint()), { allowed: true })
  t.match(await authoriseAuthMessage(socket, 'r2', await mint()), { code: 4401 })
  t.match(await authoriseAuthMessage({ ...socket, query: { token: await mint() } }, 'r1', ''), { allowed: true }, 'the ticket of the address')
  t.match(await authoriseAuthMessage({ ...socket, query: { token: await mint() } }, 'r2', await mint({ room: 'r2' })), { allowed: true }, 'the more specific ticket counts')
  t.match(await authoriseAuthMessage({ ...socket, headers: cookieHeaders }, 'r1', ''), { allowed: true, userId: 'u1' })
  t.match(await authoriseHandshake({ ...socket, protocol: 'y-websocket' }), forbidden, 'y-websocket always names one')
})

t.test('A recheck of a cookie: edit to read only and back, access lost, backend unavailable', async (t) => {
  let say: Handler = (_, response) => answer(response, 200, mayEdit)
  const { authoriseHandshake } = await start(t, (request, response) => say(request, response))
  const outcome = await authoriseHandshake(yWebsocket({ headers: cookieHeaders }))
  if (outcome.outcome !== 'verdict' || !outcome.verdict.allowed) return t.fail('the user can edit')
  const first = outcome.verdict
  t.same(await recheck(first), { change: 'none' })
  say = (_, response) => answer(response, 200, mayRead)
  const lowered = await recheck(first)
  t.match(lowered, { change: 'rights', verdict: { canEdit: false, userId: 'u1', sessionKey: 's1' } })
  if (lowered.change !== 'rights') return t.fail('the access has changed')
  say = (_, response) => answer(response, 200, mayEdit)
  t.match(await recheck(lowered.verdict), { change: 'rights', verdict: { canEdit: true } })
  for (const status of [301, 429, 500]) {
    say = (_, response) => answer(response, status, '')
    t.same(await recheck(first), { change: 'none' }, `${status} disconnects nobody`)
  }
  say = (_, response) => answer(response, 403, '')
  t.match(await recheck(first), { change: 'lost', verdict: { code: 4403 } })
})

t.test('A recheck keeps a known user, and adopts a user that becomes known', async (t) => {
  const yes = { allowed: true, canEdit: true, epoch: 0 } as const
  t.same(await recheck({ ...yes, userId: 'u1', recheck: async () => yes }), { change: 'none' })
  t.match(await recheck({ ...yes, recheck: async () => ({ ...yes, userId: 'u1' }) }), { change: 'rights', verdict: { userId: 'u1' } })
  t.same(await recheck(yes), { change: 'none' }, 'no backend to ask')
})

t.test('No cookie, ticket or secret reaches the log, whatever fails', async (t) => {
  let status = 200
  const { authoriseHandshake, authoriseAuthMessage, log } = await start(t, (request, response) => {
    // A backend that repeats the cookie in all its answers.
    const cookie = request.headers.cookie ?? ''
    answer(response, status, cookie, { location: `/login/?next=${cookie.replace(/[^\w=]/g, '')}`, 'retry-after': cookie.replace(/[^\w=]/g, '') })
  })
  const word = fc.stringMatching(/^[A-Za-z0-9_-]{12,40}$/).map((text) => `private${text}`)
  const statuses = fc.constantFrom(200, 301, 401, 403, 404, 429, 500)
  await fc.assert(fc.asyncProperty(word, word, word, statuses, async (session, token, secret, answered) => {
    status = answered
    log.lines.length = 0
    const headers = { cookie: `sessionid=${session}`, origin: 'https://docs.example' }
    const forged = `${(await mint({ user_id: token })).slice(0, -4)}${token}`
    const requests = [
      { headers },
      { headers: { ...headers, authorization: secret } },
      { headers, query: { token } },
      { headers, query: { token: forged } },
      { query: { token: [token, forged] } },
    ]
    for (const request of requests) {
      await authoriseHandshake(yWebsocket(request))
      await authoriseAuthMessage(hocuspocus(request), 'r1', request.query === undefined ? '' : forged)
    }
    const text = log.text()
    return text !== '' && [session, token, secret, forged, forged.split('.')[1] ?? ''].every((hidden) => !text.includes(hidden))
  }), { numRuns: 60 })
})
