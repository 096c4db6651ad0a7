import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { JWTPayload } from 'jose'
import t from 'tap'
import { requirePython } from '../processes.ts'
import { Epochs } from '../../src/access/epochs.ts'
import { createTicketCheck } from '../../src/access/ticket.ts'
import { recheck } from '../../src/access/recheck.ts'

const djangoSecret = 'a-secret-of-django-0123456789'
const ticketRoom = 'room-1'
const nowMs = 1_800_000_000_500
const nowS = nowMs / 1000
const dayS = 86_400

const check = createTicketCheck({ secrets: [djangoSecret, 'the-previous-secret-012'], now: () => nowMs, epochs: new Epochs() })

const mint = async (claims: JWTPayload, secret = djangoSecret, alg = 'HS256') =>
  await new SignJWT({ room: ticketRoom, exp: nowS + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(Buffer.from(secret))

/** Signs any text as claims, including claims that a library would refuse to write. */
function signRaw (payload: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const signed = `${encode(JSON.stringify(header))}.${encode(payload)}`
  return `${signed}.${createHmac('sha256', djangoSecret).update(signed).digest('base64url')}`
}

const refused = (reason: RegExp) => ({ allowed: false, permanent: true, code: 4401, reason })

t.test('A valid ticket grants the access that it states', async (t) => {
  t.match(await check(await mint({}), ticketRoom), {
    allowed: true,
    userId: undefined,
    canEdit: false,
    sessionKey: undefined,
    expiresAt: nowMs + 60_000,
  })
  t.match(await check(await mint({ user_id: 'u1', can_edit: true, session_key: 's1' }), ticketRoom), { allowed: true, userId: 'u1', canEdit: true, sessionKey: 's1' })
  t.match(await check(await mint({}, 'the-previous-secret-012'), ticketRoom), { allowed: true }, 'signed before the secret was rotated')
  t.match(await check(signRaw(`{"room":"ドキュメント","exp":${nowS + 1}}`), 'ドキュメント'), { allowed: true }, 'any script')
})

t.test('Only the boolean true grants editing', async (t) => {
  for (const canEdit of [undefined, null, false, 1, 'true', 'True', {}, [true]]) {
    const ticket = await mint({ can_edit: canEdit })
    t.match(await check(ticket, ticketRoom), { allowed: true, canEdit: false }, JSON.stringify(canEdit))
  }
})

t.test('User ids are strings or whole numbers; None is anonymous; any other type rejects the ticket', async (t) => {
  t.match(await check(await mint({ user_id: 42 }), ticketRoom), { userId: '42' })
  const anonymous = await mint({ user_id: null, session_key: null })
  t.match(await check(anonymous, ticketRoom), { allowed: true, userId: undefined, sessionKey: undefined })
  for (const userId of [1.5, true, {}, ['u1'], 2 ** 53]) t.match(await check(await mint({ user_id: userId }), ticketRoom), refused(/user id/), JSON.stringify(userId))
  t.match(await check(await mint({ session_key: 1 }), ticketRoom), refused(/session key/))
})

t.test('exp is required, exact, and at most 24 hours in the future', async (t) => {
  t.match(await check(await mint({ exp: Math.floor(nowS) + 1 }), ticketRoom), { allowed: true, expiresAt: nowMs + 500 }, 'a whole number')
  t.match(await check(await mint({ exp: nowS + 0.2 }), ticketRoom), { allowed: true }, 'a float')
  t.match(await check(await mint({ exp: nowS }), ticketRoom), refused(/expired/), 'now is over')
  t.match(await check(await mint({ exp: nowS - 0.2 }), ticketRoom), refused(/expired/), 'within the same second')
  t.match(await check(await mint({ exp: nowS - 3600 }), ticketRoom), refused(/expired/))
  t.match(await check(await mint({ exp: nowS + dayS }), ticketRoom), { allowed: true })
  t.match(await check(await mint({ exp: nowS + dayS + 60 }), ticketRoom), { allowed: true }, 'the leeway for clocks')
  t.match(await check(await mint({ exp: nowS + dayS + 61 }), ticketRoom), refused(/24 hours/))
  for (const exp of ['""', '"9999999999"', 'null', 'true', '[]', '{}', '1e999', '-1', '0']) {
    t.match(await check(signRaw(`{"room":"${ticketRoom}","exp":${exp}}`), ticketRoom), refused(/./), `exp ${exp}`)
  }
  t.match(await check(signRaw(`{"room":"${ticketRoom}"}`), ticketRoom), refused(/invalid/), 'no exp')
  t.match(await check(await mint({ nbf: nowS + 120 }), ticketRoom), refused(/invalid/), 'not yet')
  t.match(await check(await mint({ nbf: nowS + 30 }), ticketRoom), { allowed: true }, 'not yet, within the leeway for clocks')
})

t.test('The room is compared exactly', async (t) => {
  for (const room of ['room-2', 'ROOM-1', ' room-1', '', 'room-1/']) t.match(await check(await mint({ room }), ticketRoom), refused(/another room/), room)
  for (const room of [1, null, true, [ticketRoom], { toString: ticketRoom }]) {
    t.match(await check(await mint({ room }), ticketRoom), refused(/no room/), JSON.stringify(room))
  }
  t.match(await check(signRaw(`{"exp":${nowS + 60}}`), ticketRoom), refused(/invalid/), 'no room')
})

t.test('A forged ticket is rejected', async (t) => {
  const good = await mint({ can_edit: false })
  const [header = '', , signature = ''] = good.split('.')
  const forgedClaims = Buffer.from(JSON.stringify({ room: ticketRoom, exp: nowS + 60, can_edit: true })).toString('base64url')
  const bad: Record<string, string> = {
    'another secret': await mint({}, 'some-other-secret-0123456789'),
    'other claims': `${header}.${forgedClaims}.${signature}`,
    'no signature': `${header}.${forgedClaims}.`,
    'alg none': new UnsecuredJWT({ room: ticketRoom, exp: nowS + 60 }).encode(),
    'alg NONE with signature': signRaw(`{"room":"${ticketRoom}","exp":${nowS + 60}}`, { alg: 'NONE' }),
    HS384: await mint({}, djangoSecret.repeat(2), 'HS384'),
    HS512: await mint({}, djangoSecret.repeat(3), 'HS512'),
    'HS512 in the header only': signRaw(`{"room":"${ticketRoom}","exp":${nowS + 60}}`, { alg: 'HS512' }),
    'unknown crit': signRaw(`{"room":"${ticketRoom}","exp":${nowS + 60}}`, { alg: 'HS256', crit: ['x'], x: 1 }),
    'b64 false': signRaw(`{"room":"${ticketRoom}","exp":${nowS + 60}}`, { alg: 'HS256', crit: ['b64'], b64: false }),
    'claims are no object': signRaw('[1]'),
    'claims are no JSON': signRaw('{"room":'),
    'no JWT': 'hello',
    dots: '..',
    empty: '',
    blanks: ` ${good}`,
    'too long': `${good}${'A'.repeat(9000)}`,
    'too long but good': await mint({ padding: 'x'.repeat(9000) }),
  }
  for (const [name, ticket] of Object.entries(bad)) t.match(await check(ticket, ticketRoom), refused(/ticket/), name)
})

t.test('The empty key is never accepted, whichever settings are empty', async (t) => {
  const ticket = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(`{"room":"${ticketRoom}","exp":${nowS + 60}}`).toString('base64url')}`
  const forged = `${ticket}.${createHmac('sha256', '').update(ticket).digest('base64url')}`
  t.match(await createTicketCheck({ secrets: ['', djangoSecret], now: () => nowMs, epochs: new Epochs() })(forged, ticketRoom), refused(/invalid/))
  t.match(await createTicketCheck({ secrets: [''], now: () => nowMs, epochs: new Epochs() })(forged, ticketRoom), refused(/invalid/))
})

t.test('A ticket with any one character changed is rejected, and no text makes the check throw', async () => {
  const good = await mint({ user_id: 'u1' })
  await fc.assert(fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 33, max: 126 }), async (at, code) => {
    const changed = good.slice(0, at) + String.fromCharCode(code) + good.slice(at + 1)
    // The last character of base64url has unused bits: another spelling of the same bytes is not a forgery.
    const spelling = (text: string) => text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex')).join('.')
    return spelling(changed) === spelling(good) || !(await check(changed, ticketRoom)).allowed
  }))
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => !(await check(text, ticketRoom)).allowed))
})

t.test('On a recheck a ticket is valid until it expires', async (t) => {
  let now = nowMs
  const checkNow = createTicketCheck({ secrets: [djangoSecret], now: () => now, epochs: new Epochs() })
  const verdict = await checkNow(await mint({}), ticketRoom)
  if (!verdict.allowed) return t.fail('the ticket is valid')
  now = nowMs + 59_999
  t.same(await recheck(verdict), { change: 'none' })
  now = nowMs + 60_000
  t.match(await recheck(verdict), { change: 'lost', verdict: { code: 4401, reason: /expired/ } })
})

const python = '/usr/bin/python3'

t.test('Tickets issued by PyJWT', async (t) => {
  requirePython({ jwt: 'python3-jwt' })
  const minted = execFileSync(python, ['-W', 'ignore', '-c', `
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
}))`, djangoSecret], { encoding: 'utf8' })
  // The script above prints one object of strings.
  const tickets = JSON.parse(minted) as Record<string, string>
  const checkNow = createTicketCheck({ secrets: [djangoSecret], now: Date.now, epochs: new Epochs() })
  const judge = async (name: string) => await checkNow(tickets[name] ?? '', ticketRoom)
  t.match(await judge('integer'), { allowed: true, userId: '00000000-0000-0000-0000-000000000007', canEdit: true })
  t.match(await judge('float'), { allowed: true, userId: '42', canEdit: false, sessionKey: undefined })
  t.match(await judge('datetime'), { allowed: true })
  t.match(await judge('past'), refused(/expired/))
  t.match(await judge('none'), refused(/invalid/))
  t.match(await judge('hs512'), refused(/invalid/))
  t.match(await judge('eternal'), refused(/invalid/))
})
