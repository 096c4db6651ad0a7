import t from 'tap'
import { asDjango, build } from '../helper.ts'
import { call, docOf, documentUrl, markdownOf, textUpdate } from './documents.ts'

const json = { 'content-type': 'application/json' }

await t.test('A document is copied, with the author of the copy; both go their own ways', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), '# Title\n\ntext')
  const answer = await call(app, 'POST', documentUrl('a', 'copy/'), '{"to":"b/ü"}', { ...json, 'x-user-id': 'ada' })
  t.match([answer.statusCode, answer.headers.etag, answer.headers.location], [201, '"1"', documentUrl('b/ü')])
  t.equal(await markdownOf(app, 'b/ü'), '# Title\n\ntext\n')
  t.same(await app.store.authors('b/ü', 0), ['ada'])
  await call(app, 'PATCH', documentUrl('b/ü'), 'more')
  t.equal(await markdownOf(app, 'a'), '# Title\n\ntext\n')
  t.equal(await markdownOf(app, 'b/ü'), '# Title\n\ntext\n\nmore\n')
})

await t.test('What was deleted from a document is not in its copy, whatever kind of document it is', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), textUpdate('secret and public'))
  await call(app, 'PUT', documentUrl('a'), textUpdate('public'))
  t.equal((await call(app, 'POST', documentUrl('a', 'copy'), '{"to":"b"}', json)).statusCode, 201)
  t.equal((await docOf(app, 'b')).getText('text').toString(), 'public')
  t.notMatch((await call(app, 'GET', documentUrl('b'))).rawPayload.toString('latin1'), 'secret')
})

await t.test('A request that cannot copy a document is refused with the reason, and creates none', async (t) => {
  const app = await build(t, { ROOM_NAME_PATTERN: '[^!]+' })
  for (const room of ['a', 'b', 'deleted']) await call(app, 'POST', documentUrl(room), room)
  await app.store.remove('deleted', Uint8Array.of(0, 0))
  for (const [room, body, headers, status, error] of [
    ['unknown', '{"to":"c"}', json, 404, 'Document not found'],
    ['deleted', '{"to":"c"}', json, 410, 'The document was deleted'],
    ['a', '{"to":"b"}', json, 409, 'The document exists already'],
    ['a', '{"to":"a"}', json, 409, 'The document exists already'],
    ['a', '{"to":"c!"}', json, 400, 'Invalid room name'],
    ['a!', '{"to":"c"}', json, 400, 'Invalid room name'],
    ['a', `{"to":"${'x'.repeat(256)}"}`, json, 400, 'Invalid room name'],
    ['a', '{}', json, 400, /^Invalid request: body must have required property 'to'/],
    ['a', '{"to":', json, 400, 'Invalid JSON'],
    ['a', '{"to":"c"}', { 'content-type': 'text/markdown' }, 415, 'Unsupported Content-Type'],
  ] as const) {
    const answer = await call(app, 'POST', documentUrl(room, 'copy/'), body, headers)
    t.equal(answer.statusCode, status, `${room} ${body.slice(0, 20)}`)
    t.match(answer.json(), { error })
  }
  const empty = await app.inject({ method: 'POST', url: documentUrl('a', 'copy/'), headers: asDjango })
  t.equal(empty.statusCode, 400)
  t.equal(await markdownOf(app, 'b'), 'b\n')
  t.equal(await app.store.count(), 2)
})

await t.test('Of fifty copies under one name, one is made', async (t) => {
  const app = await build(t)
  await call(app, 'POST', documentUrl('a'), 'text')
  const answers = await Promise.all(Array.from({ length: 50 }, () => call(app, 'POST', documentUrl('a', 'copy/'), '{"to":"b"}', json)))
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, 1)
  t.equal(answers.filter(({ statusCode }) => statusCode === 409).length, 49)
})
