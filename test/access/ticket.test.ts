import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { JWTPayload } from 'jose'
import t from 'tap'
import { requirePython } from '../processes.ts'
import { Epochs } from '../../src/access/epochs.ts'
import { createTicketCheck } from '../../src/access/ticket.ts'
import { askAgain } from '../../src/access/recheck.ts'

const SECRET = 'a-secret-of-django-0123456789'
const ROOM = 'room-1'
const NOW = 1_800_000_000_500
const NOW_S = NOW / 1000
const DAY_S = 86_400

const check = createTicketCheck({ secrets: [SECRET, 'the-previous-secret-012'], now: () => NOW, epochs: new Epochs() })

const mint = async (claims: JWTPayload, secret = SECRET, alg = 'HS256') =>
  await new SignJWT({ room: ROOM, exp: NOW_S + 60, ...claims }).setProtectedHeader({ alg }).sign(Buffer.from(secret))

/** Signs any text as claims, including claims that a library would refuse to write. */
function signRaw (payload: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const signed = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

const refused = (reason: RegExp) => ({ allowed: false, permanent: true, code: 4401, reason })

t.test('A valid ticket grants the access that it states', async (t) => {
  t.match(await check(await mint({}), ROOM), { allowed: true, userId: undefined, canEdit: false, sessionKey: undefined, expiresAt: NOW + 60_000 })
  t.match(await check(await mint({ user_id: 'u1', can_edit: true, session_key: 's1' }), ROOM), { allowed: true, userId: 'u1', canEdit: true, sessionKey: 's1' })
  t.match(await check(await mint({}, 'the-previous-secret-012'), ROOM), { allowed: true }, 'signed before the secret was rotated')
  t.match(await check(signRaw(`{"room":"ドキュメント","exp":${NOW_S + 1}}`), 'ドキュメント'), { allowed: true }, 'any script')
})

t.test('Only the boolean true grants editing', async (t) => {
  for (const canEdit of [undefined, null, false, 1, 'true', 'True', {}, [true]]) {
    t.match(await check(await mint({ can_edit: canEdit }), ROOM), { allowed: true, canEdit: false }, JSON.stringify(canEdit))
  }
})

t.test('User ids are strings or whole numbers; None is anonymous; any other type rejects the ticket', async (t) => {
  t.match(await check(await mint({ user_id: 42 }), ROOM), { userId: '42' })
  t.match(await check(await mint({ user_id: null, session_key: null }), ROOM), { allowed: true, userId: undefined, sessionKey: undefined })
  for (const userId of [1.5, true, {}, ['u1'], 2 ** 53]) t.match(await check(await mint({ user_id: userId }), ROOM), refused(/user id/), JSON.stringify(userId))
  t.match(await check(await mint({ session_key: 1 }), ROOM), refused(/session key/))
})

t.test('exp is required, exact, and at most 24 hours in the future', async (t) => {
  t.match(await check(await mint({ exp: Math.floor(NOW_S) + 1 }), ROOM), { allowed: true, expiresAt: NOW + 500 }, 'a whole number')
  t.match(await check(await mint({ exp: NOW_S + 0.2 }), ROOM), { allowed: true }, 'a float')
  t.match(await check(await mint({ exp: NOW_S }), ROOM), refused(/expired/), 'now is over')
  t.match(await check(await mint({ exp: NOW_S - 0.2 }), ROOM), refused(/expired/), 'within the same second')
  t.match(await check(await mint({ exp: NOW_S - 3600 }), ROOM), refused(/expired/))
  t.match(await check(await mint({ exp: NOW_S + DAY_S }), ROOM), { allowed: true })
  t.match(await check(await mint({ exp: NOW_S + DAY_S + 60 }), ROOM), { allowed: true }, 'the leeway for clocks')
  t.match(await check(await mint({ exp: NOW_S + DAY_S + 61 }), ROOM), refused(/24 hours/))
  for (const exp of ['""', '"9999999999"', 'null', 'true', '[]', '{}', '1e999', '-1', '0']) {
    t.match(await check(signRaw(`{"room":"${ROOM}","exp":${exp}}`), ROOM), refused(/./), `exp ${exp}`)
  }
  t.match(await check(signRaw(`{"room":"${ROOM}"}`), ROOM), refused(/invalid/), 'no exp')
  t.match(await check(await mint({ nbf: NOW_S + 120 }), ROOM), refused(/invalid/), 'not yet')
  t.match(await check(await mint({ nbf: NOW_S + 30 }), ROOM), { allowed: true }, 'not yet, within the leeway for clocks')
})

t.test('The room is compared exactly', async (t) => {
  for (const room of ['room-2', 'ROOM-1', ' room-1', '', 'room-1/']) t.match(await check(await mint({ room }), ROOM), refused(/another room/), room)
  for (const room of [1, null, true, [ROOM], { toString: ROOM }]) t.match(await check(await mint({ room }), ROOM), refused(/no room/), JSON.stringify(room))
  t.match(await check(signRaw(`{"exp":${NOW_S + 60}}`), ROOM), refused(/invalid/), 'no room')
})

t.test('A forged ticket is rejected', async (t) => {
  const good = await mint({ can_edit: false })
  const [header = '', , signature = ''] = good.split('.')
  const forgedClaims = Buffer.from(JSON.stringify({ room: ROOM, exp: NOW_S + 60, can_edit: true })).toString('base64url')
  const bad: Record<string, string> = {
    'another secret': await mint({}, 'some-other-secret-0123456789'),
    'other claims': `${header}.${forgedClaims}.${signature}`,
    'no signature': `${header}.${forgedClaims}.`,
    'alg none': new UnsecuredJWT({ room: ROOM, exp: NOW_S + 60 }).encode(),
    'alg NONE with signature': signRaw(`{"room":"${ROOM}","exp":${NOW_S + 60}}`, { alg: 'NONE' }),
    HS384: await mint({}, SECRET.repeat(2), 'HS384'),
    HS512: await mint({}, SECRET.repeat(3), 'HS512'),
    'HS512 in the header only': signRaw(`{"room":"${ROOM}","exp":${NOW_S + 60}}`, { alg: 'HS512' }),
    'unknown crit': signRaw(`{"room":"${ROOM}","exp":${NOW_S + 60}}`, { alg: 'HS256', crit: ['x'], x: 1 }),
    'b64 false': signRaw(`{"room":"${ROOM}","exp":${NOW_S + 60}}`, { alg: 'HS256', crit: ['b64'], b64: false }),
    'claims are no object': signRaw('[1]'),
    'claims are no JSON': signRaw('{"room":'),
    'no JWT': 'hello',
    dots: '..',
    empty: '',
    blanks: ` ${good}`,
    'too long': `${good}${'A'.repeat(9000)}`,
    'too long but good': await mint({ padding: 'x'.repeat(9000) }),
  }
  for (const [name, ticket] of Object.entries(bad)) t.match(await check(ticket, ROOM), refused(/ticket/), name)
})

t.test('The empty key is never accepted, whichever settings are empty', async (t) => {
  const ticket = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(`{"room":"${ROOM}","exp":${NOW_S + 60}}`).toString('base64url')}`
  const forged = `${ticket}.${createHmac('sha256', '').update(ticket).digest('base64url')}`
  t.match(await createTicketCheck({ secrets: ['', SECRET], now: () => NOW, epochs: new Epochs() })(forged, ROOM), refused(/invalid/))
  t.match(await createTicketCheck({ secrets: [''], now: () => NOW, epochs: new Epochs() })(forged, ROOM), refused(/invalid/))
})

t.test('A ticket with any one character changed is rejected, and no text makes the check throw', async () => {
  const good = await mint({ user_id: 'u1' })
  await fc.assert(fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 33, max: 126 }), async (at, code) => {
    const changed = good.slice(0, at) + String.fromCharCode(code) + good.slice(at + 1)
    // The last character of base64url has unused bits: another spelling of the same bytes is not a forgery.
    const spelling = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')).join('.')
    return spelling(changed) === spelling(good) || !(await check(changed, ROOM)).allowed
  }))
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => !(await check(text, ROOM)).allowed))
})

t.test('On a recheck a ticket is valid until it expires', async (t) => {
  let now = NOW
  const verdict = await createTicketCheck({ secrets: [SECRET], now: () => now, epochs: new Epochs() })(await mint({}), ROOM)
  if (!verdict.allowed) return t.fail('the ticket is good')
  now = NOW + 59_999
  t.same(await askAgain(verdict), { change: 'none' })
  now = NOW + 60_000
  t.match(await askAgain(verdict), { change: 'lost', verdict: { code: 4401, reason: /expired/ } })
})

const PYTHON = '/usr/bin/python3'

t.test('Tickets issued by PyJWT', async (t) => {
  requirePython({ jwt: 'python3-jwt' })
  const minted = execFileSync(PYTHON, ['-W', 'ignore', '-c', `
import jwt, json, time, uuid, datetime, sys
secret = sys.argv[1]
utc = datetime.timezone.utc
mint = lambda **claims: jwt.encode({"room": "room-1", **claims}, secret, algorithm="HS256")
print(json.dumps({
  "integer": mint(exp=int(time.time()) + 60, user_id=str(uuid.UUID(int=7)), can_edit=True),
  "float": mint(exp=time.time() + 60, user_id=42, session_key=None),
  "datetime": mint(exp=datetime.datetime.now(tz=utc) + datetime.timedelta(hours=24)),
  "past": mint(exp=datetime.datetime.now(tz=utc) - datetime.timedelta(seconds=1)),
  "none": jwt.encode({"room": "room-1", "exp": time.time() + 60}, None, algorithm="none"),
  "hs512": jwt.encode({"room": "room-1", "exp": time.time() + 60}, secret, algorithm="HS512"),
  "eternal": mint(),
}))`, SECRET], { encoding: 'utf8' })
  // The script above prints one object of strings.
  const tickets = JSON.parse(minted) as Record<string, string>
  const checkNow = createTicketCheck({ secrets: [SECRET], now: Date.now, epochs: new Epochs() })
  const judge = async (name: string) => await checkNow(tickets[name] ?? '', ROOM)
  t.match(await judge('integer'), { allowed: true, userId: '00000000-0000-0000-0000-000000000007', canEdit: true })
  t.match(await judge('float'), { allowed: true, userId: '42', canEdit: false, sessionKey: undefined })
  t.match(await judge('datetime'), { allowed: true })
  t.match(await judge('past'), refused(/expired/))
  t.match(await judge('none'), refused(/invalid/))
  t.match(await judge('hs512'), refused(/invalid/))
  t.match(await judge('eternal'), refused(/invalid/))
})
