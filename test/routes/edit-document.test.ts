import t from 'tap'
import * as Y from 'yjs'
import { build } from '../helper.ts'
import { call, docOf, documentUrl, json, markdown, markdownOf, textUpdate } from './documents.ts'

await t.test('Content is inserted at the end, at the start, before, after, and in place of a block', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'one\n\ntwo')
  const blocks = (await call(app, 'GET', documentUrl('a'), undefined, { accept: json })).json<Array<{ id: string }>>()
  const [one = '', two = ''] = blocks.map(({ id }) => encodeURIComponent(id))
  let sequence = 1
  for (const [query, payload, type, expected] of [
    ['', 'end', markdown, 'one two end'],
    ['?position=start', '<p>start</p>', 'text/html', 'start one two end'],
    ['?position=end', '[{"type":"paragraph","content":"last"}]', json, 'start one two end last'],
    [`?before=${two}`, 'before', markdown, 'start one before two end last'],
    [`?after=${two}`, 'a\n\nb', markdown, 'start one before two a b end last'],
    [`?replace=${one}`, 'replaced', markdown, 'start replaced before two a b end last'],
  ] as const) {
    const answer = await call(app, 'PATCH', documentUrl('a', query), payload, { 'content-type': type, 'x-user-id': `user ${sequence}` })
    t.match([answer.statusCode, answer.body, answer.headers.etag], [204, '', `"${++sequence}"`], query)
    t.equal(await markdownOf(app, 'a'), `${expected.replaceAll(' ', '\n\n')}\n`)
  }
  t.same(await app.store.authors('a', 5), ['user 6', 'user 5'].slice(0, 2))
})

await t.test('A Yjs update is merged; one that brings nothing new is not stored', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), textUpdate('one'))
  const doc = await docOf(app, 'a')
  const known = Y.encodeStateVector(doc)
  doc.getText('text').insert(3, ' two')
  for (const [update, etag] of [
    [Y.encodeStateAsUpdate(doc, known), '"2"'],
    [Y.encodeStateAsUpdate(doc), '"2"'],
    [textUpdate('other '), '"3"'],
  ] as const) {
    const answer = await call(app, 'PATCH', documentUrl('a'), update)
    t.match([answer.statusCode, answer.headers.etag], [204, etag])
  }
  t.match((await docOf(app, 'a')).getText('text').toString(), /^(other one two|one twoother )$/)
  t.equal((await app.store.load('a'))?.lastSeq, 3)
})

await t.test('A Yjs update of a deleted document is refused when the name is in use again', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), textUpdate('old'))
  const old = await docOf(app, 'a')
  t.equal((await call(app, 'DELETE', documentUrl('a'))).statusCode, 204)
  await call(app, 'POST', documentUrl('a'), textUpdate('new'))
  const known = Y.encodeStateVector(old)
  old.getText('text').insert(3, '!')
  for (const update of [Y.encodeStateAsUpdate(old), Y.encodeStateAsUpdate(old, known)]) {
    const answer = await call(app, 'PATCH', documentUrl('a'), update)
    t.ok(answer.statusCode >= 400, String(answer.statusCode))
  }
  t.equal((await call(app, 'PATCH', documentUrl('a'), Y.encodeStateAsUpdate(old))).json().error, 'The update belongs to a document that was deleted')
  t.equal((await call(app, 'PATCH', documentUrl('a'), textUpdate('er'))).statusCode, 204)
  t.match((await docOf(app, 'a')).getText('text').toString(), /^(newer|ernew)$/)
})

await t.test('Many clients that add to a document at the same time all succeed', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'zero')
  const answers = await Promise.all(Array.from({ length: 30 }, (_, at) => call(app, 'PATCH', documentUrl('a'), `text ${at}`)))
  t.ok(answers.every(({ statusCode }) => statusCode === 204))
  const lines = (await markdownOf(app, 'a')).trim().split('\n\n')
  t.same(lines.sort(), ['zero', ...Array.from({ length: 30 }, (_, at) => `text ${at}`)].sort())
})

await t.test('A script that writes all day counts as one client of the document', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'zero')
  for (let at = 0; at < 10; at++) await call(app, 'PATCH', documentUrl('a'), `text ${at}`)
  for (let at = 0; at < 5; at++) await call(app, 'PUT', documentUrl('a'), `text ${at}`)
  const clients = async () => [...(await docOf(app, 'a')).store.clients.keys()]
  const old = await clients()
  t.equal(old.length, 2, 'the other one has created it')
  await app.store.remove('a', Uint8Array.of(0, 0))
  await call(app, 'POST', documentUrl('a'), 'new')
  t.equal((await call(app, 'PATCH', documentUrl('a'), 'more')).statusCode, 204)
  t.equal(await markdownOf(app, 'a'), 'new\n\nmore\n')
  t.notOk((await clients()).some((client) => old.includes(client)), 'but not where the name was used again: clocks must not repeat')
})

await t.test('If-Match: a document that has changed since it was read is not edited', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'one')
  const answers = await Promise.all(['two', 'three'].map((text) => call(app, 'PATCH', documentUrl('a'), text, { 'if-match': '"1-markdown"' })))
  t.same(answers.map(({ statusCode, headers }) => [statusCode, headers.etag]).sort(), [[204, '"2"'], [412, '"2"']])
  t.equal((await app.store.load('a'))?.lastSeq, 2)
})

await t.test('A request that cannot edit a document is refused with the reason, and changes nothing', async (t) => {
  const app = await build(t, { CONVERSION_FILE_MAX_SIZE: '500' })
  await call(app, 'POST', documentUrl('a'), 'text')
  await call(app, 'POST', documentUrl('deleted'), 'text')
  await app.store.remove('deleted', Uint8Array.of(0, 0))
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'a')
  const known = Y.encodeStateVector(doc)
  doc.getText('text').insert(1, 'b')
  const beyond = Y.encodeStateAsUpdate(doc, known)
  const position = 'Invalid position: one of position, before, after and replace, and none for a Yjs update'
  for (const [path, payload, headers, status, error] of [
    [documentUrl('unknown'), 'text', {}, 404, 'Document not found'],
    [documentUrl('deleted'), 'text', {}, 410, 'The document was deleted'],
    [documentUrl('a', '?position=middle'), 'text', {}, 400, /^Invalid request: /],
    [documentUrl('a', '?before='), 'text', {}, 400, /^Invalid request: /],
    [documentUrl('a', '?position=end&before=x'), 'text', {}, 400, position],
    [documentUrl('a', '?before=x&after=y'), 'text', {}, 400, position],
    [documentUrl('a', '?position=end'), textUpdate('x'), {}, 400, position],
    [documentUrl('a', '?before=x'), 'text', {}, 422, 'The document has no block with this id'],
    [documentUrl('a', '?replace=x'), 'text', {}, 422, 'The document has no block with this id'],
    [documentUrl('a'), undefined, {}, 400, 'Invalid request: missing content'],
    [documentUrl('a'), Uint8Array.of(7, 7, 7), {}, 400, 'Invalid content'],
    [documentUrl('a'), beyond, {}, 400, 'Invalid content'],
    [documentUrl('a'), '{', { 'content-type': json }, 400, 'Invalid content'],
    [documentUrl('a'), 'x'.repeat(501), {}, 413, 'Content too large'],
    [documentUrl('a'), 'text', { 'content-type': 'application/pdf' }, 415, 'Unsupported Content-Type'],
    [documentUrl('a'), 'text', { 'if-match': 'x' }, 400, 'Invalid If-Match'],
    [documentUrl('a'), 'text', { authorization: 'wrong' }, 403, 'Forbidden: Invalid API Key'],
  ] as const) {
    const answer = await call(app, 'PATCH', path, payload, headers)
    t.match([answer.statusCode, answer.json()], [status, { error }], `${path} ${JSON.stringify(headers)}`)
  }
  t.equal((await app.store.load('a'))?.lastSeq, 1)
  t.equal(await app.store.count(), 1)
})
