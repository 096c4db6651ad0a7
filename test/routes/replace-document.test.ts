import t from 'tap'
import * as Y from 'yjs'
import { build } from '../helper.ts'
import { call, docOf, documentUrl, json, markdown, markdownOf, textUpdate } from './documents.ts'

await t.test('A document is replaced, with its author; what does not differ stays', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'one\n\ntwo\n\nthree')
  const before = await docOf(app, 'a')
  const answer = await call(app, 'PUT', documentUrl('a'), 'one\n\ntwo and a half\n\nthree', { 'x-user-id': 'ada' })
  t.match([answer.statusCode, answer.body, answer.headers.etag], [204, '', '"2"'])
  t.equal(await markdownOf(app, 'a'), 'one\n\ntwo and a half\n\nthree\n')
  t.same(await app.store.authors('a', 0), ['ada'])
  const after = await docOf(app, 'a')
  const added = Y.decodeUpdate(Y.encodeStateAsUpdate(after, Y.encodeStateVector(before)))
  t.same(added.structs.map((struct) => struct instanceof Y.Item && struct.content instanceof Y.ContentString && struct.content.str), [' and a half'])
})

await t.test('What is read and written back changes nothing', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), '# Title\n\nSome **bold** text\n\n- one\n- two')
  for (const type of [markdown, 'text/html', json, 'application/vnd.yjs.doc']) {
    const { rawPayload, headers } = await call(app, 'GET', documentUrl('a'), undefined, { accept: type })
    const answer = await call(app, 'PUT', documentUrl('a'), rawPayload, { 'content-type': type, 'if-match': String(headers.etag) })
    t.match([answer.statusCode, answer.headers.etag], [204, '"1"'], type)
  }
  t.equal((await app.store.load('a'))?.lastSeq, 1)
})

await t.test('If-Match: a document that has changed since it was read is not replaced', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'one')
  const { etag } = (await call(app, 'GET', documentUrl('a'), undefined, { accept: markdown })).headers
  t.equal(etag, '"1-markdown"')
  const put = async (text: string, ifMatch: string) => await call(app, 'PUT', documentUrl('a'), text, { 'if-match': ifMatch })
  t.equal((await put('two', String(etag))).statusCode, 204)
  for (const stale of [String(etag), '"1"', '"7-yjs"', '"abc"', '"", W/"1-html"', '"2x"']) {
    const refused = await put('three', stale)
    t.match([refused.statusCode, refused.json(), refused.headers.etag], [412, { error: 'The document is not as If-Match or If-None-Match says' }, '"2"'], stale)
  }
  t.equal(await markdownOf(app, 'a'), 'two\n')
  let sequence = 2
  for (const present of ['*', 'W/"#-markdown"', '"#-yjs"', '"#"', '"1,2", "#-json" , "9"', '"#-markdown-gzip"']) {
    const answer = await put(`text ${sequence}`, present.replace('#', String(sequence)))
    t.match([answer.statusCode, answer.headers.etag], [204, `"${++sequence}"`], present)
  }
  for (const malformed of ['1', '', 'W/1', '"1', '"1" "2"', '"1",,"2"', 'w/"1"']) {
    const refused = await put('three', malformed)
    t.match([refused.statusCode, refused.json()], [400, { error: 'Invalid If-Match' }], malformed)
  }
  t.equal((await app.store.load('a'))?.lastSeq, sequence)
})

await t.test('Of concurrent requests with the same If-Match one replaces the document', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'zero')
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => call(app, 'PUT', documentUrl('a'), `text ${at}`, { 'if-match': '"1"' })))
  const statuses = answers.map(({ statusCode }) => statusCode)
  t.equal(statuses.filter((status) => status === 204).length, 1)
  t.equal(statuses.filter((status) => status === 412).length, 19)
  t.equal(await markdownOf(app, 'a'), `text ${statuses.indexOf(204)}\n`)
})

await t.test('Without If-Match the last one of many requests wins, and each is made for what the one before it has left', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'zero')
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => call(app, 'PUT', documentUrl('a'), `text ${at}`)))
  t.ok(answers.every(({ statusCode }) => statusCode === 204))
  const last = answers.findIndex(({ headers }) => headers.etag === '"21"')
  t.equal(await markdownOf(app, 'a'), `text ${last}\n`)
})

await t.test('If-None-Match: * creates a document, and changes none', async (t) => {
  const app = await build(t)
  const create = async (text: string, headers = {}) => await call(app, 'PUT', documentUrl('a'), text, { 'if-none-match': '*', ...headers })
  const made = await create('one')
  t.match([made.statusCode, made.headers.etag, made.headers.location], [201, '"1"', documentUrl('a')])
  const refused = await create('two')
  t.match([refused.statusCode, refused.headers.etag], [412, '"1"'])
  t.equal(await markdownOf(app, 'a'), 'one\n')
  t.equal((await create('two', { 'if-none-match': '"1"' })).statusCode, 400)
  t.equal((await create('two', { 'if-match': '"1"' })).statusCode, 400)
  await app.store.remove('a', Uint8Array.of(0, 0))
  t.equal((await create('new')).statusCode, 201, 'also under the name of one that was deleted')
})

await t.test('A document that is not BlockNote\'s is replaced by a Yjs document', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), textUpdate('one two three'))
  t.equal((await call(app, 'PUT', documentUrl('a'), textUpdate('one three four'))).statusCode, 204)
  t.equal((await docOf(app, 'a')).getText('text').toString(), 'one three four')
})

await t.test('A Yjs document with text of a deleted one of its name does not replace the new one', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), textUpdate('deleted'))
  const page = await docOf(app, 'a')
  t.equal((await call(app, 'DELETE', documentUrl('a'))).statusCode, 204)
  await call(app, 'POST', documentUrl('a'), textUpdate('new'))
  const fresh = await docOf(app, 'a')
  Y.applyUpdate(page, Y.encodeStateAsUpdate(fresh))
  const answer = await call(app, 'PUT', documentUrl('a'), Y.encodeStateAsUpdate(page))
  t.equal(answer.statusCode, 410)
  t.same(answer.json(), { error: 'The update belongs to a document that was deleted' })
  t.equal((await docOf(app, 'a')).getText('text').toString(), 'new')
  fresh.getText('text').insert(3, 'er')
  t.equal((await call(app, 'PUT', documentUrl('a'), Y.encodeStateAsUpdate(fresh))).statusCode, 204, 'a later state of the new one does')
  t.equal((await docOf(app, 'a')).getText('text').toString(), 'newer')
})

await t.test('A request that cannot replace a document is refused with the reason, and changes nothing', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+', CONVERSION_FILE_MAX_SIZE: '500' })
  await call(app, 'POST', documentUrl('a'), 'text')
  await call(app, 'POST', documentUrl('deleted'), 'text')
  await app.store.remove('deleted', Uint8Array.of(0, 0))
  for (const [room, payload, headers, status, error] of [
    ['a!', 'text', {}, 400, 'Invalid room name'],
    ['unknown', 'text', {}, 404, 'Document not found'],
    ['unknown', 'text', { 'if-match': '*' }, 404, 'Document not found'],
    ['deleted', 'text', {}, 410, 'The document was deleted'],
    ['a', undefined, {}, 400, 'Invalid request: missing content'],
    ['a', '[{"type":', { 'content-type': json }, 400, 'Invalid content'],
    ['a', Uint8Array.of(7, 7, 7), {}, 400, 'Invalid content'],
    ['a', 'x'.repeat(501), {}, 413, 'Content too large'],
    ['a', 'text', { 'content-type': 'image/png' }, 415, 'Unsupported Content-Type'],
    ['a', 'text', { authorization: 'wrong' }, 403, 'Forbidden: Invalid API Key'],
  ] as const) {
    const answer = await call(app, 'PUT', documentUrl(room), payload, headers)
    t.match([answer.statusCode, answer.json()], [status, { error }], `${room} ${JSON.stringify(headers)}`)
  }
  t.equal((await app.store.load('a'))?.lastSeq, 1)
  t.equal(await app.store.count(), 1)
})

await t.test('With REQUIRE_IF_MATCH a change must say for which state it is', async (t) => {
  const app = await build(t, { REQUIRE_IF_MATCH: 'true' })
  t.equal((await call(app, 'POST', documentUrl('a'), 'one')).statusCode, 201)
  for (const method of ['PUT', 'PATCH'] as const) {
    const refused = await call(app, method, documentUrl('a'), 'two')
    t.match([refused.statusCode, refused.json()], [428, { error: 'If-Match is missing: send the ETag of the document as it was read' }])
  }
  t.equal((await call(app, 'PUT', documentUrl('a'), 'two', { 'if-match': '"1"' })).statusCode, 204)
  t.equal((await call(app, 'PATCH', documentUrl('a'), 'three', { 'if-match': '"2"' })).statusCode, 204)
  t.equal((await call(app, 'PUT', documentUrl('b'), 'one', { 'if-none-match': '*' })).statusCode, 201)
})

await t.test('A document above the limits of documents is not written', async (t) => {
  const app = await build(t, { MAX_DOCUMENT_BYTES: '2000' })
  await call(app, 'POST', documentUrl('a'), 'x'.repeat(1000))
  const answer = await call(app, 'PUT', documentUrl('a'), 'y'.repeat(1500))
  t.match([answer.statusCode, answer.json()], [413, { error: 'The document would become too large' }])
  t.equal(await markdownOf(app, 'a'), `${'x'.repeat(1000)}\n`)
})
