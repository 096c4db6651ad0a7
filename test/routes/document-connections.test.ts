/** The routes by themselves. On several nodes: cluster/documents.test.ts */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { connect } from '../clients/connect.ts'
import { openBare } from '../clients/bare-client.ts'
import { eventually } from '../clients/eventually.ts'
import { asDjango, build, listen } from '../helper.ts'
import { checkAnswers } from './answer-table.ts'

const url = (room: string): string => `/collaboration/api/documents/${encodeURIComponent(room)}/connections`
const nothing = Uint8Array.of(0, 0)

interface Listed {
  userId: string | null
  canEdit: boolean
  since: string
  node: string
  protocol: string
  presence: Array<{ clientId: number, state: unknown }>
}
interface Page { connections: Listed[], next: string | null }

async function list (app: FastifyInstance, room: string, query: Record<string, string> = {}): Promise<Page> {
  const answer = await app.inject({ url: `${url(room)}/`, query, headers: asDjango })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<Page>()
}

const as = (user: string, more = {}) => ({ ...asDjango, 'x-user-id': user, ...more })

await t.test('A request that cannot be answered is refused with the reason', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+' })
  for (const document of ['stored', 'deleted']) await app.store.append([{ document, update: nothing }])
  await app.store.remove('deleted', nothing)
  await checkAnswers(t, app, [
    ['GET', url('unknown'), 404, '{"error":"Document not found"}'],
    ['GET', url('deleted'), 410, '{"error":"The document was deleted"}'],
    ['GET', url('stored'), 200, '{"connections":[],"next":null}'],
    ['HEAD', url('stored'), 200, ''],
    ['GET', url('a!'), 400, '{"error":"Invalid room name"}'],
    ['GET', url('x'.repeat(256)), 400, '{"error":"Invalid room name"}'],
    ['GET', `${url('stored')}?limit=0`, 400, '{"error":"Invalid request: querystring/limit must be >= 1"}'],
    ['GET', `${url('stored')}?limit=1001`, 400, '{"error":"Invalid request: querystring/limit must be <= 1000"}'],
    ['GET', `${url('stored')}?limit=1&limit=1`, 400, '{"error":"Parameter given more than once: limit"}'],
    ['GET', `${url('stored')}?after=x`, 400, '{"error":"Invalid parameter: after"}'],
    ['GET', `${url('stored')}?after=`, 400, '{"error":"Invalid parameter: after"}'],
    ['GET', `${url('stored')}?after=x&after=x`, 400, '{"error":"Parameter given more than once: after"}'],
    ['POST', url('stored'), 404, '{"error":"Not found"}'],
    ['DELETE', url('unknown'), 200, '{"message":"Connections reset"}'],
    ['DELETE', `${url('unknown')}?user=42`, 200, '{"message":"Connections reset"}'],
    ['DELETE', `${url('unknown')}?user=`, 400, '{"error":"User id not provided"}'],
    ['DELETE', `${url('unknown')}?user=1&user=2`, 400, '{"error":"Parameter given more than once: user"}'],
    ['DELETE', url('a!'), 400, '{"error":"Invalid room name"}'],
  ])
})

await t.test('Everybody in a document is listed, the oldest connection first, also before anything is stored', async (t) => {
  const { app, wsUrl } = await listen(t)
  const before = Date.now()
  const writer = connect(t, { kind: 'y-websocket 3', wsUrl, room: 'a/ü', headers: as('Ada') })
  await writer.synced()
  const reader = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'a/ü', headers: as('Bo', { 'x-can-edit': 'False' }) })
  await reader.synced()
  const anonymous = connect(t, { kind: 'Hocuspocus 3', wsUrl, room: 'a/ü', headers: asDjango })
  await anonymous.synced()
  writer.awareness.setLocalState({ user: { name: 'Ada' }, cursor: null })
  reader.awareness.setLocalState({ user: { name: 'Bo' } })
  anonymous.awareness.setLocalState(null)
  await reader.until(() => reader.awareness.states.size === 2)
  await writer.until(() => writer.awareness.states.size === 2)
  const { connections, next } = await list(app, 'a/ü')
  t.equal(next, null)
  t.same(connections.map(({ since, ...rest }) => rest), [
    { userId: 'Ada', canEdit: true, node: app.cluster.name, protocol: 'y-websocket', presence: [{ clientId: writer.doc.clientID, state: { user: { name: 'Ada' }, cursor: null } }] },
    { userId: 'Bo', canEdit: false, node: app.cluster.name, protocol: 'hocuspocus', presence: [{ clientId: reader.doc.clientID, state: { user: { name: 'Bo' } } }] },
    { userId: null, canEdit: true, node: app.cluster.name, protocol: 'hocuspocus', presence: [] },
  ])
  const times = connections.map(({ since }) => Date.parse(since))
  t.ok(times.every((time) => time >= before && time <= Date.now()))
  t.same(times, [...times].sort((a, b) => a - b))

  const paged: Listed[] = []
  let after: string | null | undefined
  do {
    const page = await list(app, 'a/ü', { limit: '1', ...after && { after } })
    t.equal(page.connections.length, 1)
    paged.push(...page.connections)
    after = page.next
    // The connection that the cursor names can leave.
    if (paged.length === 1) writer.destroy()
    await eventually(() => app.rooms.size('a/ü') === 2)
  } while (after !== null)
  t.same(paged, connections)
})

await t.test('A reset closes the connections of one user, or all', async (t) => {
  const { app, wsUrl } = await listen(t)
  const open = (user: string, room = 'a/ü') => openBare(t, `${wsUrl}/collaboration/ws/${encodeURIComponent(room)}`, as(user))
  const [ada, bo, elsewhere] = [await open('Ada'), await open('Bo'), await open('Ada', 'elsewhere')]
  await eventually(() => app.rooms.size('a/ü') === 2)
  const reset = (query: string, headers = {}) => {
    return app.inject({ method: 'DELETE', url: `${url('a/ü')}/${query}`, headers: { ...asDjango, ...headers }, payload: '{' })
  }
  t.equal((await reset('?user=A', { 'content-type': 'application/json' })).statusCode, 200, 'whatever its body')
  t.equal((await reset('?user=Ada')).body, '{"message":"Connections reset"}')
  await ada.until(({ closed }) => closed !== undefined)
  t.equal(ada.closed?.code, 4205)
  t.same((await list(app, 'a/ü')).connections.map(({ userId }) => userId), ['Bo'])
  await reset('', { 'x-user-id': 'who does it' })
  await bo.until(({ closed }) => closed !== undefined)
  t.equal(bo.closed?.code, 4205)
  t.ok(elsewhere.isOpen)
})
