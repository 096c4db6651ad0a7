import type { FastifyInstance } from 'fastify'
import t from 'tap'
import * as Y from 'yjs'
import { AcknowledgedClient } from '../clients/acknowledged-client.ts'
import { asDjango, build, listen } from '../helper.ts'
import { damageLmdb } from '../store/damage-lmdb.ts'

const yjs = 'application/vnd.yjs.doc'
const json = 'application/vnd.blocknote+json'
const url = (room: string): string => `/collaboration/api/documents/${encodeURIComponent(room)}/`

async function read (app: FastifyInstance, path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  return await app.inject({ method, url: path, headers: { ...asDjango, ...headers } })
}

/** The Yjs update of a document in markdown. */
async function blocks (app: FastifyInstance, markdown: string): Promise<Uint8Array> {
  const { rawPayload } = await app.inject({ method: 'POST', url: '/api/convert/', headers: asDjango, payload: markdown })
  return new Uint8Array(rawPayload)
}

/** Stores a document as several updates. */
async function seed (app: FastifyInstance, document: string, ...updates: Uint8Array[]): Promise<void> {
  for (const update of updates) await app.store.append([{ document, update }])
}

function docOf (bytes: Uint8Array): Y.Doc {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes)
  return doc
}

await t.test('A document is read in each format', async (t) => {
  const app = await build(t)
  await seed(app, 'a/ü', await blocks(app, '# Title\n\nSome **bold** text'))
  for (const [accept, type, content] of [
    ['text/markdown', 'text/markdown; charset=utf-8', /^# Title\n\nSome \*\*bold\*\* text/],
    ['text/html', 'text/html; charset=utf-8', /<h1[^>]*>Title<\/h1>.*<strong>bold<\/strong>/s],
    ['text/plain', 'text/plain; charset=utf-8', /Title\s+Some bold text/],
    [json, json, /"type":"heading"/],
    ['application/json', 'application/json', /"type":"heading"/],
  ] as const) {
    const answer = await read(app, url('a/ü'), { accept })
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], type)
    t.match(answer.body, content)
  }
  const whole = await read(app, url('a/ü'))
  t.equal(whole.headers['content-type'], yjs, 'Yjs without Accept')
  t.match(docOf(whole.rawPayload).getXmlFragment('document-store').toString(), /Some <bold>bold<\/bold> text|Some .*bold/)
})

await t.test('Everything that is stored is read: snapshot and log, merged into one update', async (t) => {
  const app = await build(t)
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let at = 0; at < 5; at++) doc.getText('any root').insert(0, `${at} `)
  await seed(app, 'a', ...updates.slice(0, 3))
  const { lastSeq } = await app.store.load('a') ?? { lastSeq: 0 }
  const snapshot = Y.mergeUpdates(updates.slice(0, 3))
  await app.store.compact('a', { replaces: 0, upTo: lastSeq, pieces: [snapshot], known: Uint8Array.of(0, 0) })
  await seed(app, 'a', ...updates.slice(3))
  const answer = await read(app, url('a'))
  t.equal(docOf(answer.rawPayload).getText('any root').toString(), '4 3 2 1 0 ')
  t.equal(answer.headers.etag, '"5-yjs"')
})

await t.test('What an editor was told is stored can be read, while the document is open', async (t) => {
  const { app, port } = await listen(t)
  const client = new AcknowledgedClient(port, 'open')
  t.teardown(() => client.terminate())
  await client.synced
  for (const text of ['one ', 'two ', 'three ']) {
    const stored = new Promise<void>((resolve) => { client.onAcknowledged = () => resolve() })
    client.doc.getText('t').insert(0, text)
    await stored
    t.match(docOf((await read(app, url('open'))).rawPayload).getText('t').toString(), text)
  }
})

await t.test('A reader that has the newest content gets 304, and HEAD describes a document without reading it', async (t) => {
  const app = await build(t)
  await seed(app, 'a', await blocks(app, 'one'))
  const first = await read(app, url('a'), { accept: 'text/markdown' })
  const { etag = '', 'last-modified': modified = '' } = first.headers
  t.equal(etag, '"1-markdown"')
  t.equal(first.headers['vary'], 'Accept')
  t.ok(Math.abs(Date.parse(String(modified)) - Date.now()) < 60_000)
  for (const [ifNoneMatch, status] of [[etag, 304], [`"x", W/${etag}`, 304], ['*', 304], ['"1-yjs"', 200], ['', 200]] as const) {
    const answer = await read(app, url('a'), { accept: 'text/markdown', 'if-none-match': ifNoneMatch })
    t.equal(answer.statusCode, status, ifNoneMatch)
    t.equal(answer.headers.etag, etag)
    t.equal(answer.body === '', status === 304)
  }
  const head = await read(app, url('a'), { accept: 'text/html' }, 'HEAD')
  t.match([head.statusCode, head.body, head.headers.etag, head.headers['content-type']], [200, '', '"1-html"', 'text/html; charset=utf-8'])
  t.equal((await read(app, url('a'), { 'if-none-match': '"1-yjs"' }, 'HEAD')).statusCode, 304)
  await seed(app, 'a', await blocks(app, 'two'))
  t.equal((await read(app, url('a'), { accept: 'text/markdown', 'if-none-match': etag })).statusCode, 200, 'until it changes')
})

await t.test('Content that a format cannot hold is counted, or refused with strict', async (t) => {
  const app = await build(t)
  const doc = new Y.Doc()
  doc.getXmlFragment('elsewhere').insert(0, [new Y.XmlElement('paragraph')])
  await seed(app, 'a', Y.encodeStateAsUpdate(doc))
  const answer = await read(app, url('a'), { accept: 'text/markdown' })
  t.match([answer.statusCode, answer.headers['x-conversion-dropped']], [200, '1'], 'it lies under another root')
  for (const strict of ['1', 'true']) {
    const refused = await read(app, `${url('a')}?strict=${strict}`, { accept: 'text/markdown' })
    t.match([refused.statusCode, refused.json()], [422, { error: 'The output format cannot carry all of the document' }])
  }
  t.equal((await read(app, `${url('a')}?strict=1`)).statusCode, 200, 'Yjs holds everything')
})

await t.test('A document that cannot be read is refused with the reason', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+' })
  await seed(app, 'a', await blocks(app, 'text'))
  await seed(app, 'deleted', Uint8Array.of(0, 0))
  await app.store.remove('deleted', Uint8Array.of(0, 0))
  await seed(app, 'removed', Uint8Array.of(0, 0))
  await app.store.remove('removed')
  await seed(app, 'nonsense', Uint8Array.of(7, 7, 7), Uint8Array.of(7, 7, 7))
  await seed(app, 'damaged', Uint8Array.of(0, 0))
  await app.store.append([{ document: 'damaged', update: Uint8Array.of(0, 0) }])
  await damageLmdb(app.config.DATA_DIR, 'damaged', 'entry')
  for (const [room, headers, status, error] of [
    ['unknown', {}, 404, 'Document not found'],
    ['removed', {}, 404, 'Document not found'],
    ['deleted', {}, 410, 'The document was deleted'],
    ['deleted', { 'if-none-match': '*' }, 410, 'The document was deleted'],
    ['a', { accept: 'image/png' }, 406, 'Unsupported format'],
    ['a!', {}, 400, 'Invalid room name'],
    ['x'.repeat(256), {}, 400, 'Invalid room name'],
    ['nonsense', {}, 500, 'The stored document is damaged: an operator must restore it'],
  ] as const) {
    const answer = await read(app, url(room), headers)
    t.match([answer.statusCode, answer.json()], [status, { error }], `${room} ${JSON.stringify(headers)}`)
  }
  const withoutSecret = await app.inject({ url: url('a') })
  t.match([withoutSecret.statusCode, withoutSecret.json()], [403, { error: 'Forbidden: Invalid API Key' }])
  t.equal((await read(app, url('unknown'), {}, 'HEAD')).statusCode, 404)
  t.equal((await read(app, `${url('a')}?strict=maybe`)).statusCode, 400)
})
