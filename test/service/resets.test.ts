/** A reset reaches every socket of a room, and nobody is admitted by a verdict from before it. */
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Outcome } from '../../src/access/authorise.ts'
import type { Verdict } from '../../src/access/verdict.ts'
import { answer, mayEdit, routes, startDjango } from '../access/django.ts'
import { asDjango, listen } from '../helper.ts'
import { mint } from './tickets.ts'
import { openBare, connectBare, type BareClient } from '../clients/bare-client.ts'
import { eventually } from '../clients/eventually.ts'
import { about, bytes, read } from '../clients/messages.ts'

const auth = (token = '', name = 'r') => about(name, bytes(2, 0, token))
const bye = (name = 'r') => about(name, bytes(7, 'bye'))
const step1 = (name = 'r') => about(name, bytes(0, 0, Uint8Array.of(0)))
const as = (user: string) => ({ ...asDjango, 'x-user-id': user })

async function reset (app: FastifyInstance, user?: string): Promise<void> {
  await app.inject({ method: 'POST', url: '/collaboration/api/reset-connections/?room=r', headers: user === undefined ? asDjango : as(user) })
}

/** Resolves when the server has processed everything that the client has sent. */
async function isSeen ({ ws }: BareClient): Promise<void> {
  const seen = new Promise((resolve) => { ws.once('pong', resolve) })
  ws.ping()
  await seen
}

/** Ways to open the one socket of a room without a document. */
const idle: { [name: string]: (wire: BareClient) => void } = {
  'before the first document': () => {},
  'after the last document': ({ ws }) => { for (const message of [auth(), bye()]) ws.send(message) },
  'while another name was asked for': ({ ws }) => { for (const message of [auth(), bye(), auth('', 'r\0tab'), bye('r\0tab')]) ws.send(message) },
}

for (const [name, act] of Object.entries(idle)) {
  for (const credentials of ['header', 'ticket']) {
    t.test(`${name}, admitted by a ${credentials}, is closed with 4205`, async (t) => {
      const { app, wsUrl } = await listen(t)
      const open = async (user: string): Promise<BareClient> => credentials === 'header'
        ? await openBare(t, `${wsUrl}/collaboration/ws/?room=r`, as(user))
        : await openBare(t, `${wsUrl}/collaboration/ws/?room=r&token=${await mint('r', { user_id: user })}`)
      const [one, other] = [await open('one'), await open('other')]
      for (const each of [one, other]) {
        act(each)
        await isSeen(each)
      }
      await reset(app, 'one')
      await one.until(({ closed }) => closed !== undefined)
      await isSeen(other)
      t.equal(one.closed?.code, 4205)
      t.ok(other.isOpen, 'another user stays')
      await reset(app)
      await other.until(({ closed }) => closed !== undefined)
      t.equal(other.closed?.code, 4205)
    })
  }
}

t.test('A socket that waits for a document of its ticket or cookie is closed with its room; a socket for any room is not', async (t) => {
  const { app, wsUrl } = await listen(t)
  const ofRoom = await openBare(t, `${wsUrl}/collaboration/ws/?room=r`)
  const ofAny = await openBare(t, `${wsUrl}/collaboration/ws/`)
  await reset(app, 'somebody')
  await isSeen(ofRoom)
  await reset(app)
  await ofRoom.until(({ closed }) => closed !== undefined)
  t.equal(ofRoom.closed?.code, 4205)
  ofAny.ws.send(auth(await mint('r')))
  await ofAny.until(({ heard }) => heard.length > 0)
  t.equal(read(ofAny.heard[0] ?? new Uint8Array(0)).type, 2)
  t.ok(ofAny.isOpen)
})

interface Held<T> { readonly value: T, release (): void }

/** Holds verdicts back between their making and their use, until the test releases them. */
function hold (
  app: FastifyInstance,
  { mark = (verdict) => verdict }: { mark?: (verdict: Verdict) => Verdict } = {}
): { handshakes: Array<Held<Outcome>>, documents: Array<Held<Verdict>> } {
  const [handshakes, documents]: [Array<Held<Outcome>>, Array<Held<Verdict>>] = [[], []]
  const wait = async <T>(queue: Array<Held<T>>, value: T): Promise<T> => await new Promise((resolve) => {
    queue.push({ value, release: () => { resolve(value) } })
  })
  const { authoriseHandshake, authoriseAuthMessage } = app.authoriser
  app.authoriser.authoriseHandshake = async (request) => {
    const judged = await authoriseHandshake(request)
    return judged.outcome === 'verdict' ? await wait(handshakes, { ...judged, verdict: mark(judged.verdict) }) : judged
  }
  app.authoriser.authoriseAuthMessage = async (...args) => {
    return await wait(documents, mark(await authoriseAuthMessage(...args)))
  }
  return { handshakes, documents }
}

for (const path of ['r', '?room=r']) {
  t.test(`${path}: an upgrade that was authorised before the reset and completes after it is closed with 4205`, async (t) => {
    const { app, wsUrl } = await listen(t)
    const { handshakes } = hold(app)
    const [one, other] = [connectBare(t, `${wsUrl}/collaboration/ws/${path}`, as('one')), connectBare(t, `${wsUrl}/collaboration/ws/${path}`, as('other'))]
    await eventually(() => handshakes.length === 2)
    await reset(app, 'one')
    for (const { release } of handshakes) release()
    for (const each of [one, other]) {
      await each.until(({ isOpen, closed }) => isOpen || closed !== undefined)
      if (path !== 'r') each.ws.send(auth())
    }
    await one.until(({ closed }) => closed !== undefined)
    t.equal(one.closed?.code, 4205)
    t.same(one.heard, [], 'and receives nothing from the room')
    if (path !== 'r') await other.until(({ heard }) => heard.length > 0)
    t.ok(other.isOpen)
  })
}

t.test('A document authorised before the reset and opened after it is not opened', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 200, mayEdit) }))
  const { app, wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl })
  const { documents } = hold(app)
  for (const [user, code] of [['u1', 4205], ['u2', undefined]] as const) {
    const client = await openBare(t, `${wsUrl}/collaboration/ws/`, { cookie: 'sessionid=s' })
    client.ws.send(auth())
    await eventually(() => documents.length > 0)
    await reset(app, user)
    documents.shift()?.release()
    await client.until(({ heard, closed }) => heard.length > 0 || closed !== undefined)
    t.equal(client.closed?.code, code, `${user} was reset`)
    client.ws.terminate()
  }
})

t.test('A flood of resets disconnects nobody in other rooms, and at most requires another authorisation', async (t) => {
  const { app, wsUrl } = await listen(t)
  const bystander = await openBare(t, `${wsUrl}/collaboration/ws/?room=elsewhere`, as('one'))
  bystander.ws.send(auth('', 'elsewhere'))
  await bystander.until(({ heard }) => heard.length > 0)
  for (let i = 0; i < 6000; i++) await app.connections.reset(`room ${i}`, undefined)
  await isSeen(bystander)
  t.ok(bystander.isOpen)
  bystander.ws.send(bye('elsewhere'))
  bystander.ws.send(auth('', 'elsewhere'))
  await bystander.until(({ closed }) => closed !== undefined)
  t.equal(bystander.closed?.code, 4205, 'resets since the handshake are forgotten: in doubt it is authorised again')
  const again = await openBare(t, `${wsUrl}/collaboration/ws/?room=elsewhere`, as('one'))
  again.ws.send(auth('', 'elsewhere'))
  await again.until(({ heard }) => heard.length > 0)
})

/** A step of the scenario: an action of one of the clients or of Django, then so many turns of the event loop. */
type Step =
  | { readonly does: 'connect', readonly by: 'y-websocket' | 'header' | 'query ticket' | 'ticket' | 'cookie', readonly user: 'u1' | 'u2' }
  | { readonly does: 'auth' | 'close' | 'step 1', readonly client: number }
  | { readonly does: 'handshake' | 'document', readonly which: number }
  | { readonly does: 'reset', readonly user: 'u1' | 'u2' | undefined }

const stories = fc.array(fc.tuple(fc.oneof<Array<fc.WeightedArbitrary<Step>>>(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('connect'), by: fc.constantFrom('y-websocket', 'header', 'query ticket', 'ticket', 'cookie'), user: fc.constantFrom('u1', 'u2') }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constantFrom('auth', 'auth', 'close', 'step 1'), client: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constantFrom('handshake', 'document'), which: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('reset'), user: fc.constantFrom('u1', 'u2', undefined) }) }
), fc.nat(12)), { minLength: 10, maxLength: 60 })

t.test('Whatever the order of events, nobody is in the room by a verdict from before a reset', async (t) => {
  const django = await startDjango(t, routes((_, response) => { answer(response, 200, mayEdit) }))
  const { app, wsUrl } = await listen(t, { COLLABORATION_BACKEND_BASE_URL: django.baseUrl, BACKEND_CACHE_MS: '60000' })
  const tickets = { u1: await mint('r', { user_id: 'u1' }), u2: await mint('r', { user_id: 'u2' }) }
  const resets: Array<'u1' | 'u2' | undefined> = []
  // The session key says how many resets there had been when the verdict was made.
  const mark = (verdict: Verdict): Verdict => {
    if (!verdict.allowed) return verdict
    const { recheck } = verdict
    const marked = recheck !== undefined && { recheck: async () => mark(await recheck()) }
    return { ...verdict, sessionKey: String(resets.length), ...marked }
  }
  const { handshakes, documents } = hold(app, { mark })
  const wrongly = () => [...app.rooms.connections()].filter(({ userId, sessionKey }) => {
    return resets.slice(Number(sessionKey)).some((user) => user === undefined || user === userId)
  })
  let entered = 0
  let clients: BareClient[] = []

  const connect = ({ by, user }: Extract<Step, { does: 'connect' }>): BareClient => {
    if (by === 'y-websocket') return connectBare(t, `${wsUrl}/collaboration/ws/r`, as(user))
    const query = by === 'query ticket' ? `&token=${tickets[user]}` : ''
    return connectBare(t, `${wsUrl}/collaboration/ws/?room=r${query}`, by === 'header' ? as(user) : by === 'cookie' ? { cookie: 'sessionid=s' } : {})
  }
  const take = (step: Step): void => {
    if (step.does === 'connect') clients.push(connect(step))
    else if ('which' in step) (step.does === 'handshake' ? handshakes : documents).splice(step.which, 1)[0]?.release()
    else if (step.does === 'reset') {
      resets.push(step.user)
      app.connections.reset('r', step.user).catch((error: unknown) => { t.fail(String(error)) })
    } else {
      const client = clients[step.client]
      if (client?.isOpen === true) client.ws.send(step.does === 'auth' ? auth(step.client % 2 === 0 ? '' : tickets.u1) : step.does === 'close' ? bye() : step1())
    }
  }
  await fc.assert(fc.asyncProperty(stories, async (story) => {
    clients = []
    for (const [step, pause] of story) {
      take(step)
      for (let turn = 0; turn <= pause; turn++) {
        entered += [...app.rooms.connections()].length
        if (wrongly().length > 0) return false
        await setImmediate()
      }
    }
    for (const { release } of [...handshakes.splice(0), ...documents.splice(0)]) release()
    for (const { ws } of clients) ws.terminate()
    return true
  }), { numRuns: 40 })
  t.ok(entered > 0, 'at least one client was in the room')
})
