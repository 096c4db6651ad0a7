import t from 'tap'
import { asDjango, build } from '../helper.ts'
import { call, documentUrl, json, markdownOf } from './documents.ts'

await t.test('A document is created from each format, with its author, and can be read at once', async (t) => {
  const app = await build(t)
  const update = (await app.inject({ method: 'POST', url: '/api/convert/', headers: asDjango, payload: '# Title' })).rawPayload
  for (const [room, payload, type] of [
    ['a/ü', '# Title', 'text/markdown'],
    ['html', '<h1>Title</h1>', 'text/html'],
    ['json', '[{"type":"heading","content":"Title"}]', json],
    ['yjs', update, 'application/octet-stream'],
  ] as const) {
    const answer = await call(app, 'POST', documentUrl(room), payload, { 'content-type': type, 'x-user-id': 'ada' })
    t.match([answer.statusCode, answer.body, answer.headers.etag, answer.headers.location], [201, '', '"1"', documentUrl(room)], room)
    t.equal(await markdownOf(app, room), '# Title\n')
    t.same(await app.store.authors(room, 0), ['ada'])
  }
})

await t.test('A document that exists is not created again, and stays as it is', async (t) => {
  const app = await build(t)
  t.equal((await call(app, 'POST', documentUrl('a'), 'one')).statusCode, 201)
  const again = await call(app, 'POST', documentUrl('a'), 'two')
  t.match([again.statusCode, again.json(), again.headers.etag], [409, { error: 'The document exists already' }, '"1"'])
  t.equal(await markdownOf(app, 'a'), 'one\n')
})

await t.test('Of fifty that create a document at once, one does', async (t) => {
  const app = await build(t)
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => call(app, 'POST', documentUrl('a'), `text ${at}`)))
  const statuses = answers.map(({ statusCode }) => statusCode)
  t.equal(statuses.filter((status) => status === 201).length, 1)
  t.equal(statuses.filter((status) => status === 409).length, 49)
  t.equal(await markdownOf(app, 'a'), `text ${statuses.indexOf(201)}\n`)
  t.equal((await app.store.load('a'))?.lastSeq, 1)
})

await t.test('A request that cannot create a document is refused with the reason, and creates none', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+', CONVERSION_FILE_MAX_SIZE: '100' })
  for (const [room, payload, headers, status, error] of [
    ['a!', 'text', {}, 400, 'Invalid room name'],
    ['x'.repeat(256), 'text', {}, 400, 'Invalid room name'],
    ['a', undefined, {}, 400, 'Invalid request: missing content'],
    ['a', '', {}, 400, 'Invalid request: missing content'],
    ['a', '[{"type":', { 'content-type': json }, 400, 'Invalid content'],
    ['a', Uint8Array.of(7, 7, 7), {}, 400, 'Invalid content'],
    ['a', 'x'.repeat(101), {}, 413, 'Content too large'],
    ['a', 'text', { 'content-type': 'image/png' }, 415, 'Unsupported Content-Type'],
    ['a', 'text', { 'content-encoding': 'zstd' }, 415, 'Unsupported Content-Encoding'],
    ['a', 'text', { authorization: 'wrong' }, 403, 'Forbidden: Invalid API Key'],
  ] as const) {
    const answer = await call(app, 'POST', documentUrl(room), payload, headers)
    t.match([answer.statusCode, answer.json()], [status, { error }], `${room.slice(0, 3)} ${JSON.stringify(headers)}`)
  }
  t.equal(await app.store.count(), 0)
})

await t.test('Content that no document can hold is counted, or refused with strict', async (t) => {
  const app = await build(t)
  const html = '<p>one</p><iframe src="https://a.example"></iframe>'
  const refused = await call(app, 'POST', documentUrl('a', '?strict=1'), html, { 'content-type': 'text/html' })
  t.match([refused.statusCode, refused.json()], [422, { error: 'The document cannot hold all of the content', dropped: [{ count: 1 }] }])
  t.equal(await app.store.count(), 0)
  const made = await call(app, 'POST', documentUrl('a'), html, { 'content-type': 'text/html' })
  t.match([made.statusCode, made.headers['x-conversion-dropped']], [201, '1'])
})

await t.test('A document can be created under a name whose document was deleted', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'old')
  await app.store.remove('a', Uint8Array.of(0, 0))
  t.equal((await call(app, 'GET', documentUrl('a'))).statusCode, 410)
  t.equal((await call(app, 'POST', documentUrl('a'), 'new')).statusCode, 201)
  t.equal(await markdownOf(app, 'a'), 'new\n')
})

await t.test('A document above the limits of documents is not created', async (t) => {
  const app = await build(t, { MAX_DOCUMENT_BYTES: '2000' })
  const answer = await call(app, 'POST', documentUrl('a'), 'x'.repeat(3000))
  t.match([answer.statusCode, answer.json()], [413, { error: 'The document would become too large' }])
  t.equal(await app.store.count(), 0)
  t.equal((await call(app, 'POST', documentUrl('a'), 'x'.repeat(1000))).statusCode, 201)
})
