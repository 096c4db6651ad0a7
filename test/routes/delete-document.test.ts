import type { FastifyInstance } from 'fastify'
import t from 'tap'
import * as Y from 'yjs'
import { Known } from '../../src/update/known.ts'
import { folder } from '../cli/filled-store.ts'
import { connect, kinds } from '../clients/connect.ts'
import { eventually } from '../clients/eventually.ts'
import { connectHocuspocus, openHocuspocusSocket } from '../clients/hocuspocus-client.ts'
import { asDjango, build, listen } from '../helper.ts'
import { mint } from '../service/tickets.ts'
import { damageLmdb } from '../store/damage-lmdb.ts'
import { typing } from '../sync/engine.ts'
import { call, markdownOf } from './documents.ts'

const documents = '/collaboration/api/documents/'
const url = (room: string): string => `${documents}${encodeURIComponent(room)}/`

async function remove (app: FastifyInstance, path: string, headers: Record<string, string> = {}) {
  return await app.inject({ method: 'DELETE', url: path, headers: { ...asDjango, ...headers } })
}

const statusOf = async (app: FastifyInstance, path: string): Promise<number> =>
  (await app.inject({ method: 'GET', url: path, headers: asDjango })).statusCode

/** The new text of a document, and the deleted one. */
async function storedTexts (app: FastifyInstance, room: string): Promise<string[]> {
  const { rawPayload } = await app.inject({ method: 'GET', url: url(room), headers: asDjango })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, new Uint8Array(rawPayload))
  return ['text', 't'].map((name) => doc.getText(name).toString())
}

/** Stores a text as several updates. */
async function seed (app: FastifyInstance, ...rooms: string[]): Promise<void> {
  for (const document of rooms) await app.store.append(typing('one ', 'two').map((update) => ({ document, update })))
}

await t.test('A deletion that cannot be done changes nothing and says why', async (t) => {
  const app = await build(t)
  await seed(app, 'a')
  for (const [path, headers, status, error] of [
    [url('unknown'), {}, 404, 'Document not found'],
    [url(' a'), {}, 400, 'Invalid room name'],
    [url('a'), { 'if-match': '"1-yjs"' }, 412, 'The document is not as If-Match or If-None-Match says'],
    [url('a'), { 'if-match': '2' }, 400, 'Invalid If-Match'],
    [url('a'), { 'if-match': '' }, 400, 'Invalid If-Match'],
    [url('unknown'), { 'if-match': '*' }, 404, 'Document not found'],
    [url('a'), { authorization: 'wrong' }, 403, 'Forbidden: Invalid API Key'],
    [documents, {}, 400, 'Room name not provided'],
    [`${documents}?room=`, {}, 400, 'Room name not provided'],
    [`${documents}?room=a&room=%20a`, {}, 400, 'Invalid room name'],
    [`${documents}?room=a`, { 'if-match': '"2-yjs"' }, 400, 'If-Match needs a request for a single document'],
    [`${documents}?${Array.from({ length: 1001 }, (_, at) => `room=${at}`).join('&')}`, {}, 400, 'Too many rooms: 1000 at most'],
  ] as const) {
    const answer = await remove(app, path, headers)
    t.equal(answer.statusCode, status, `${path.slice(0, 60)} ${JSON.stringify(headers)}`)
    t.same(answer.json(), { error })
    t.equal(answer.headers.etag, status === 412 ? '"2"' : undefined)
  }
  t.equal(await statusOf(app, url('a')), 200)
})

await t.test('A document is deleted once: then it is gone', async (t) => {
  const app = await build(t)
  await seed(app, 'a/ü', 'b')
  const answer = await remove(app, url('a/ü'), { 'content-type': 'application/json' })
  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  for (const status of [await statusOf(app, url('a/ü')), (await remove(app, url('a/ü'))).statusCode]) t.equal(status, 410)
  t.equal(await statusOf(app, url('b')), 200)
  t.equal((await remove(app, url('b'), { 'if-match': '"1-yjs", "2-markdown"' })).statusCode, 204, 'one of its tags')
  await seed(app, 'c')
  t.equal((await remove(app, url('c'), { 'if-match': '*' })).statusCode, 204)
})

await t.test('Several documents are deleted by one request, which says what became of each', async (t) => {
  const app = await build(t)
  await seed(app, 'a', 'b', 'gone', 'kept')
  await remove(app, url('gone'))
  const answer = await remove(app, `${documents}?room=a&room=unknown&room=b&room=gone&room=a`)
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { deleted: ['a', 'b'], alreadyDeleted: ['gone'], notFound: ['unknown'] })
  t.same(await Promise.all(['a', 'b', 'kept'].map((room) => statusOf(app, url(room)))), [410, 410, 200])
})

await t.test('Without tombstones a deleted document leaves nothing', async (t) => {
  const app = await build(t, { DELETED_FOR: '0' })
  await seed(app, 'a')
  t.equal((await remove(app, url('a'))).statusCode, 204)
  t.equal((await remove(app, url('a'))).statusCode, 404)
  t.equal(await statusOf(app, url('a')), 404)
})

await t.test('Old tombstones are removed', async (t) => {
  const path = await folder(t)
  const app = await build(t, { DATA_DIR: path })
  await seed(app, 'a')
  await remove(app, url('a'))
  await app.deletion.sweep()
  t.equal(await statusOf(app, url('a')), 410)
  await app.close()
  const later = await build(t, { DATA_DIR: path, DELETED_FOR: '0' })
  await later.deletion.sweep()
  t.equal(await statusOf(later, url('a')), 404)
})

await t.test('A damaged document can be deleted', async (t) => {
  const path = await folder(t)
  const app = await build(t, { DATA_DIR: path })
  await seed(app, 'a')
  await app.close()
  await damageLmdb(path, 'a', 'entry')
  const again = await build(t, { DATA_DIR: path })
  t.equal(await statusOf(again, url('a')), 500)
  t.equal((await remove(again, url('a'))).statusCode, 204)
  t.equal(await statusOf(again, url('a')), 410)
})

await t.test('While the store is down nothing is deleted, and the client can retry', async (t) => {
  const app = await build(t)
  await seed(app, 'a')
  await app.store.close()
  const answer = await remove(app, url('a'))
  t.equal(answer.statusCode, 503)
  t.same(answer.json(), { error: 'The store is unavailable: try again' })
  t.ok(answer.headers['retry-after'])
  t.equal((await remove(app, `${documents}?room=a`)).statusCode, 503)
})

await t.test('If-None-Match is no condition of a deletion or an addition', async (t) => {
  for (const env of [{}, { REQUIRE_IF_MATCH: 'true' }]) {
    const app = await build(t, env)
    await call(app, 'POST', url('a'), 'text')
    for (const condition of ['*', '"zz"', '"1"', '']) {
      const headers = { 'if-none-match': condition }
      for (const answer of [await call(app, 'DELETE', url('a'), undefined, headers), await call(app, 'PATCH', url('a'), 'more', headers)]) {
        t.match([answer.statusCode, answer.json()], [400, { error: 'Invalid If-None-Match: only PUT accepts it' }], condition)
      }
    }
    t.equal(await markdownOf(app, 'a'), 'text\n')
  }
})

await t.test('With REQUIRE_IF_MATCH, a deletion says which state of the document it is for', async (t) => {
  const app = await build(t, { REQUIRE_IF_MATCH: 'true' })
  await seed(app, 'a')
  t.equal((await remove(app, url('a'))).statusCode, 428)
  t.equal((await remove(app, url('a'), { 'if-match': '"2-yjs"' })).statusCode, 204)
})

await t.test('Everybody in a deleted document is sent away for good, and what they had cannot come back', async (t) => {
  for (const kind of kinds) {
    const { app, wsUrl } = await listen(t)
    const client = connect(t, { kind, wsUrl, room: 'a', headers: asDjango })
    await client.synced()
    client.text.insert(0, 'deleted')
    await eventually(async () => await statusOf(app, url('a')) === 200)
    t.equal((await remove(app, url('a'))).statusCode, 204)
    const isAway = (): boolean => kind.startsWith('y-') ? !client.wantsToConnect() : client.record.denied.length > 0
    await client.until(isAway)
    client.text.insert(0, 'still typing ')
    await app.rooms.flushed()
    t.equal(await statusOf(app, url('a')), 410, kind)
    client.destroy()

    // The page is loaded from its cache, and connects with the deleted text; first to the deleted name.
    for (const isRevived of [false, true]) {
      if (isRevived) await app.store.create('a', typing('new')[0] ?? new Uint8Array())
      const doc = new Y.Doc()
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(client.doc))
      const page = connect(t, { kind, wsUrl, room: 'a', headers: asDjango, doc })
      const isRefused = (): boolean => kind.startsWith('y-') ? !page.wantsToConnect() : page.record.denied.length > 0
      await page.until(isRefused)
      t.equal(page.text.toString(), 'still typing deleted', `${kind}: it gets nothing of the new document`)
      page.destroy()
    }
    const fresh = connect(t, { kind, wsUrl, room: 'a', headers: asDjango })
    await fresh.until(() => fresh.doc.getText('text').toString() === 'new')
    fresh.doc.getText('text').insert(3, ' text')
    await eventually(async () => (await storedTexts(app, 'a'))[0] === 'new text')
    t.same(await storedTexts(app, 'a'), ['new text', ''])
  }
})

await t.test('Whoever is in an empty room stays there when somebody deletes the document that does not exist', async (t) => {
  for (const kind of kinds) {
    const { app, wsUrl } = await listen(t)
    const client = connect(t, { kind, wsUrl, room: 'a', headers: asDjango })
    await client.synced()
    t.equal((await remove(app, url('a'))).statusCode, 404)
    client.text.insert(0, 'first')
    await eventually(async () => await statusOf(app, url('a')) === 200)
    t.same([client.record.closes, client.record.denied], [[], []])
    client.destroy()
  }
})

await t.test('A retry closes a document whose deletion its room has not heard of', async (t) => {
  for (const kind of kinds) {
    const { app, wsUrl } = await listen(t)
    const client = connect(t, { kind, wsUrl, room: 'a', headers: asDjango })
    await client.synced()
    client.text.insert(0, 'deleted')
    await eventually(async () => await statusOf(app, url('a')) === 200)
    await app.rooms.flushed()
    t.ok(await app.store.remove('a', new Known().encode()))
    t.equal((await remove(app, url('a'))).statusCode, 410)
    await client.until(() => kind.startsWith('y-') ? !client.wantsToConnect() : client.record.denied.length > 0)
    client.destroy()
  }
})

await t.test('A Hocuspocus socket loses only the deleted one of its documents', async (t) => {
  const { app, wsUrl } = await listen(t)
  const socket = openHocuspocusSocket(t, 'Hocuspocus 4', wsUrl)
  const tickets = await Promise.all(['deleted', 'kept'].map((room) => mint(room, { can_edit: true })))
  const [deleted, kept] = ['deleted', 'kept'].map((room, at) => {
    return connectHocuspocus(t, wsUrl, room, { socket, token: tickets[at] })
  })
  if (deleted === undefined || kept === undefined) throw new Error('There are two')
  await Promise.all([deleted.synced(), kept.synced()])
  for (const { text } of [deleted, kept]) text.insert(0, 'text')
  await Promise.all([deleted, kept].map((each) => each.until(() => each.unsyncedChanges() === 0)))
  t.equal((await remove(app, url('deleted'))).statusCode, 204)
  await deleted.until(() => socket.record.denied.length > 0)
  t.same(socket.record.denied, ['Document deleted'])
  kept.text.insert(4, ' goes on')
  await kept.until(() => kept.unsyncedChanges() === 0)
  t.equal(socket.record.sockets.length, 1, 'the socket stays open')
})
