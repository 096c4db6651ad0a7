import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'
import { connect } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { asDjango, build, listen } from '../helper.ts'
import { damageLmdb } from '../store/damage-lmdb.ts'
import { checkAnswers } from './answer-table.ts'

const url = '/collaboration/api/documents'
const nothing = Uint8Array.of(0, 0)

interface Listed {
  name: string
  bytes: number
  sequence: number
  createdAt: string | null
  updatedAt: string | null
  connections: number
}
interface Page { documents: Listed[], next: string | null }

async function list (app: FastifyInstance, query: Record<string, string | string[]> = {}): Promise<Page> {
  const answer = await app.inject({ url: `${url}/`, query, headers: asDjango })
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<Page>()
}

const names = ({ documents }: Page): string[] => documents.map(({ name }) => name)

await t.test('A request that cannot be answered is refused with the reason', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+' })
  const exclusive = '{"error":"Parameter room cannot be combined with prefix, after or limit"}'
  await checkAnswers(t, app, [
    ['GET', `${url}?limit=0`, 400, '{"error":"Invalid request: querystring/limit must be >= 1"}'],
    ['GET', `${url}?limit=1001`, 400, '{"error":"Invalid request: querystring/limit must be <= 1000"}'],
    ['GET', `${url}?limit=x`, 400, '{"error":"Invalid request: querystring/limit must be integer"}'],
    ['GET', `${url}?limit=1.5`, 400, '{"error":"Invalid request: querystring/limit must be integer"}'],
    ['GET', `${url}?limit=`, 400, '{"error":"Invalid request: querystring/limit must be integer"}'],
    ['GET', `${url}?limit=1&limit=2`, 400, '{"error":"Parameter given more than once: limit"}'],
    ['GET', `${url}?prefix=a&prefix=b`, 400, '{"error":"Parameter given more than once: prefix"}'],
    ['GET', `${url}?after=a&after=b`, 400, '{"error":"Parameter given more than once: after"}'],
    ['GET', `${url}?prefix=${'x'.repeat(256)}`, 400, '{"error":"Invalid request: querystring/prefix must NOT have more than 255 characters"}'],
    ['GET', `${url}?after=a%00`, 400, '{"error":"Invalid request: querystring/after must match pattern \\"^[^\\\\0]*$\\""}'],
    ['GET', `${url}?room=a&prefix=b`, 400, exclusive],
    ['GET', `${url}?room=a&after=`, 400, exclusive],
    ['GET', `${url}?room=a&limit=5`, 400, exclusive],
    ['GET', `${url}?room=`, 400, '{"error":"Invalid room name"}'],
    ['GET', `${url}?room=a&room=a!`, 400, '{"error":"Invalid room name"}'],
    ['GET', `${url}?room=${'x'.repeat(256)}`, 400, '{"error":"Invalid room name"}'],
    ['GET', `${url}?room=a%00`, 400, '{"error":"Invalid room name"}'],
    ['GET', `${url}?${'room=a&'.repeat(1001)}`, 400, '{"error":"Invalid request: querystring/room must NOT have more than 1000 items"}'],
    ['GET', `${url}?room=unknown`, 200, '{"documents":[],"next":null}'],
    ['GET', url, 200, '{"documents":[],"next":null}'],
    ['HEAD', url, 200, ''],
  ])
})

await t.test('Documents are listed with their sizes, times and connections, in the order of their names', async (t) => {
  const { app, wsUrl } = await listen(t)
  const before = Date.now()
  for (const document of ['b', 'a', '😀', '\uffee', 'a/1']) await app.store.append([{ document, update: nothing }])
  await app.store.append([{ document: 'b', update: nothing }])
  const clients = [1, 2].map(() => connect(t, { kind: 'y-websocket 3', wsUrl, room: 'b', headers: asDjango }))
  await Promise.all(clients.map((client) => client.synced()))
  const page = await list(app)
  t.same(names(page), ['a', 'a/1', 'b', '\uffee', '😀'])
  t.equal(page.next, null)
  const [a, , b] = page.documents
  const { createdAt, updatedAt, ...rest } = b ?? { createdAt: null, updatedAt: null }
  t.same(rest, { name: 'b', bytes: 4, sequence: 2, connections: 2 })
  t.equal(a?.connections, 0)
  for (const time of [createdAt, updatedAt]) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.ok(Math.abs(Date.parse(time ?? '') - before) < 60_000)
  }
})

await t.test('A list has pages, whose cursor survives the removal of its document', async (t) => {
  const app = await build(t)
  const all = Array.from({ length: 250 }, (_, at) => `doc-${String(at).padStart(3, '0')}`)
  await app.store.append([...all, 'other'].map((document) => ({ document, update: nothing })))
  const first = await list(app, { prefix: 'doc-' })
  t.same([names(first), first.next], [all.slice(0, 100), 'doc-099'], '100 documents by default')
  await app.store.remove('doc-099')
  const second = await list(app, { prefix: 'doc-', after: first.next ?? '', limit: '150' })
  t.same([names(second), second.next], [all.slice(100), null], 'nothing follows a page that ends with the last document')
  t.same(names(await list(app, { prefix: 'doc-24', after: '' })), all.slice(240))
  t.same(await list(app, { prefix: 'unknown' }), { documents: [], next: null })
  t.same(names(await list(app, { after: 'doc-249' })), ['other'])
})

await t.test('The named rooms are listed once each, as the request has them; open ones too, before anything is stored', async (t) => {
  const { app, port, wsUrl } = await listen(t)
  const writer = new AcknowledgedClient(port, 'stored')
  t.teardown(() => writer.terminate())
  await writer.synced
  const stored = new Promise<void>((resolve) => { writer.onAcknowledged = () => resolve() })
  writer.doc.getText('t').insert(0, 'text')
  await stored
  await app.store.append([{ document: 'closed', update: nothing }, { document: 'deleted', update: nothing }])
  await app.store.remove('deleted', nothing)
  const reader = connect(t, { kind: 'Hocuspocus 4', wsUrl, room: 'a/ü', headers: { ...asDjango, 'x-can-edit': 'False' } })
  await reader.synced()
  const room = ['unknown', 'a/ü', 'stored', 'a/ü', 'closed', 'deleted']
  const { documents, next } = await list(app, { room })
  t.same(documents.map(({ name, connections }) => [name, connections]), [['a/ü', 1], ['stored', 1], ['closed', 0]])
  t.equal(next, null)
  t.same(documents[0], { name: 'a/ü', bytes: 0, sequence: 0, createdAt: null, updatedAt: null, connections: 1 })
  t.equal(documents[1]?.sequence, 1)
  t.same(names(await list(app)), ['closed', 'stored'], 'the whole list has what is stored')
  reader.destroy()
  await eventually(() => app.rooms.openRooms === 1)
  t.same(names(await list(app, { room: 'a/ü' })), [])
})

await t.test('A damaged document is listed, without what cannot be read', async (t) => {
  const app = await build(t)
  for (const document of ['a', 'b']) {
    await app.store.append([{ document, update: nothing }])
    await app.store.compact(document, { replaces: 0, upTo: 1, pieces: [nothing], known: nothing })
  }
  await damageLmdb(app.config.DATA_DIR, 'a', 'name')
  const { documents } = await list(app)
  t.same(documents[0], { name: 'a', bytes: 0, sequence: 0, createdAt: null, updatedAt: null, connections: 0 })
  t.match(documents[1], { name: 'b', bytes: 2, sequence: 1 })
  t.same((await list(app, { room: ['b', 'a'] })).documents, [...documents].reverse())
})

await t.test('A store that cannot be read causes 503', async (t) => {
  const app = await build(t)
  await app.store.close()
  for (const query of ['', '?room=a']) {
    const { statusCode, headers, body } = await app.inject({ url: url + query, headers: asDjango })
    t.same([statusCode, headers['retry-after'], body], [503, '2', '{"error":"The store is unavailable: try again"}'])
  }
})
