import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import * as Y from 'yjs'
import { eventually } from '../clients/eventually.ts'
import { asDjango, build, listen, secret } from '../helper.ts'

const url = '/api/convert/'
const yjs = 'application/vnd.yjs.doc'
const json = 'application/vnd.blocknote+json'

interface Ask { type?: string | undefined, accept?: string | undefined, query?: string, key?: string }

async function convert (app: FastifyInstance, payload: string | Buffer | undefined, { type, accept, query = '', key = secret }: Ask = {}) {
  const headers = { ...key !== '' && { authorization: key }, ...type !== undefined && { 'content-type': type }, ...accept !== undefined && { accept } }
  return await app.inject({ method: 'POST', url: url + query, headers, ...payload !== undefined && { payload } })
}

/** The text of the document that an update holds. */
function textOf (update: Uint8Array): string {
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  return document.getXmlFragment('document-store').toString().replace(/<[^>]*>/g, '')
}

await t.test('Every input type converts to every output type, and the answer has the requested type', async (t) => {
  const app = await build(t)
  const update = (await convert(app, '# Hello')).rawPayload
  const inputs: Array<[string | undefined, string | Buffer]> = [
    ...['text/markdown', 'text/x-markdown', 'application/x-www-form-urlencoded', undefined, 'Text/Markdown; charset=utf-8', 'text/markdown; charset=latin1'].map((type): [string | undefined, string] => [type, '# Hello']),
    [yjs, update],
    ['application/octet-stream', update],
    [json, '[{"type":"heading","content":"Hello"}]'],
    ['text/html', '<h1>Hello</h1>'],
  ]
  const outputs: Array<[string | undefined, string, (body: Buffer) => unknown, unknown]> = [
    [undefined, yjs, textOf, 'Hello'],
    ['', yjs, textOf, 'Hello'],
    ['*/*', yjs, textOf, 'Hello'],
    [yjs, yjs, textOf, 'Hello'],
    ['application/octet-stream', 'application/octet-stream', textOf, 'Hello'],
    [json, json, (body) => (JSON.parse(body.toString()) as Array<{ type: string }>)[0]?.type, 'heading'],
    ['application/json', 'application/json', (body) => (JSON.parse(body.toString()) as Array<{ type: string }>)[0]?.type, 'heading'],
    ['text/markdown', 'text/markdown; charset=utf-8', String, '# Hello\n'],
    ['text/x-markdown', 'text/x-markdown; charset=utf-8', String, '# Hello\n'],
    ['text/html', 'text/html; charset=utf-8', String, '<h1>Hello</h1>'],
    ['text/plain', 'text/plain; charset=utf-8', String, 'Hello\n'],
  ]
  for (const [type, body] of inputs) {
    for (const [accept, answered, read, expected] of outputs) {
      const { statusCode, headers, rawPayload } = await convert(app, body, { type, accept })
      t.equal(statusCode, 200, `${type} to ${accept}`)
      t.equal(headers['content-type'], answered)
      t.equal(read(rawPayload), expected)
      t.notOk('x-conversion-dropped' in headers)
    }
  }
})

await t.test('Accept: weights, then order; more exact wildcards first; q=0 refuses', async (t) => {
  const app = await build(t)
  const cases: Array<[string, number, string]> = [
    ['text/html;q=0.5, text/markdown', 200, 'text/markdown; charset=utf-8'],
    ['text/html, text/markdown', 200, 'text/html; charset=utf-8'],
    ['image/png, text/plain;q=0.1', 200, 'text/plain; charset=utf-8'],
    ['text/*', 200, 'text/markdown; charset=utf-8'],
    ['text/*, text/markdown;q=0', 200, 'text/x-markdown; charset=utf-8'],
    ['*/*;q=0.1, text/html;q=0.2', 200, 'text/html; charset=utf-8'],
    [`*/*, ${yjs};q=0, application/octet-stream;q=0`, 200, json],
    ['TEXT/HTML;Q=1', 200, 'text/html; charset=utf-8'],
    ['text/html;q=0', 406, ''],
    ['*/*;q=0', 406, ''],
    ['image/png', 406, ''],
    ['text/html;q=abc', 406, ''],
  ]
  for (const [accept, status, type] of cases) {
    const answer = await convert(app, '# Hello', { accept })
    t.equal(answer.statusCode, status, accept)
    if (status === 200) t.equal(answer.headers['content-type'], type, accept)
    else t.equal(answer.body, '{"error":"Unsupported format"}')
  }
})

await t.test('The order of refusals: key, empty, Content-Type, Accept, size, content', async (t) => {
  const app = await build(t, { CONVERSION_FILE_MAX_SIZE: '100' })
  const long = 'x'.repeat(101)
  const bad = { type: 'image/png', accept: 'image/png' }
  const expect = async (answer: ReturnType<typeof convert>, status: number, error: string) => {
    const { statusCode, body } = await answer
    t.same([statusCode, body], [status, JSON.stringify({ error })])
  }
  await expect(convert(app, '', { ...bad, key: '' }), 403, 'Forbidden: Invalid API Key')
  await expect(convert(app, undefined, bad), 400, 'Invalid request: missing content')
  await expect(convert(app, '', bad), 400, 'Invalid request: missing content')
  await expect(convert(app, long, bad), 415, 'Unsupported Content-Type')
  await expect(convert(app, long, { ...bad, type: yjs }), 406, 'Unsupported format')
  await expect(convert(app, long, { type: yjs }), 413, 'Content too large')
  await expect(convert(app, 'no update', { type: yjs }), 400, 'Invalid content')
  await expect(convert(app, '{}', { type: json }), 400, 'Invalid content')
  await expect(convert(app, '[{"type":"constructor"}]', { type: json }), 400, 'Invalid content')
  await expect(convert(app, Buffer.from([0xff, 0x41]), { type: 'text/markdown' }), 400, 'Invalid content')
  t.equal((await convert(app, 'x'.repeat(100))).statusCode, 200, 'at the maximum size')
})

await t.test('Content that is lost is counted, and the request is rejected where it must not be lost', async (t) => {
  const app = await build(t)
  const html = '<p>H<sub>2</sub>O <a href="javascript:x">a</a></p>'
  for (const accept of [yjs, json, 'text/html', 'text/markdown', 'text/plain']) {
    for (const query of ['', '?strict=0', '?strict=false']) {
      const { statusCode, headers } = await convert(app, html, { type: 'text/html', accept, query })
      t.same([statusCode, headers['x-conversion-dropped']], [200, '2'], accept + query)
    }
    for (const query of ['?strict=1', '?strict=true']) {
      const { statusCode, headers, body } = await convert(app, html, { type: 'text/html', accept, query })
      t.same([statusCode, headers['x-conversion-dropped'], headers['content-type']], [422, '2', 'application/json; charset=utf-8'])
      t.same(JSON.parse(body), {
        error: 'The output format cannot carry all of the document',
        dropped: [{ what: 'element sub', kind: 'format', count: 1 }, { what: 'unsafe link', kind: 'format', count: 1 }],
      })
    }
  }
  // Above the size that is converted in place: the same result from a thread.
  const { statusCode, headers } = await convert(app, html + '<p>long</p>'.repeat(1000), { type: 'text/html', query: '?strict=1' })
  t.same([statusCode, headers['x-conversion-dropped']], [422, '2'])
  t.equal((await convert(app, '# Hello', { query: '?strict=1' })).statusCode, 200)
  t.equal((await convert(app, '# Hello', { query: '?strict=yes' })).statusCode, 400, 'no value that only resembles strict')
})

await t.test('Math and diagrams become nodes of their own if the setting says so', async (t) => {
  const markdown = '$x$\n\n```mermaid\na\n```'
  const types = async (settings: Record<string, string>) => {
    const app = await build(t, settings)
    const older = (await app.inject({ method: 'POST', url: '/api/convert-markdown/', headers: asDjango, payload: { content: markdown } })).json<{ content: string }>()
    const update = Buffer.from(older.content, 'base64')
    t.same((await convert(app, update, { type: yjs, accept: 'text/plain' })).body, (await convert(app, markdown, { accept: 'text/plain' })).body)
    return (await convert(app, markdown, { accept: 'application/json' })).json<Array<{ type: string, content: Array<{ type: string }> }>>().map(({ type, content }) => [type, content[0]?.type])
  }
  t.same(await types({}), [['paragraph', 'text'], ['codeBlock', 'text']])
  t.same(await types({ CONVERSION_MATH: 'true' }), [['paragraph', 'math'], ['diagram', 'text']])
})

await t.test('A fragment other than document-store', async (t) => {
  const app = await build(t)
  const update = (await convert(app, '# Hello', { query: '?fragment=notes' })).rawPayload
  t.equal((await convert(app, update, { type: yjs, accept: 'text/plain', query: '?fragment=notes' })).body, 'Hello\n')
  const wrong = await convert(app, update, { type: yjs, accept: 'text/plain' })
  t.same([wrong.body, wrong.headers['x-conversion-dropped']], ['', '1'])
})

await t.test('Without the trailing slash, and the older route', async (t) => {
  const app = await build(t)
  t.equal((await app.inject({ method: 'POST', url: '/api/convert', headers: { ...asDjango, accept: 'text/plain' }, payload: 'a' })).body, 'a\n')
  const old = async (payload: object) => await app.inject({ method: 'POST', url: '/api/convert-markdown/', headers: asDjango, payload })
  const { statusCode, body, headers } = await old({ content: '# Hello' })
  t.equal(statusCode, 200)
  t.equal(textOf(Buffer.from((JSON.parse(body) as { content: string }).content, 'base64')), 'Hello')
  t.notOk('x-conversion-dropped' in headers)
  t.equal((await old({ content: 'H<sub>2</sub>O' })).headers['x-conversion-dropped'], '1')
  for (const payload of [{}, { content: '' }, { content: 5 }]) t.equal((await old(payload)).body, '{"error":"Invalid request: missing content"}')
})

await t.test('A body is refused by its headers before it arrives', async (t) => {
  const { port } = await listen(t, { CONVERSION_FILE_MAX_SIZE: '100' })
  for (const [headers, status] of [
    [{ 'content-length': 101 }, 413],
    [{ 'content-length': 50, 'content-type': 'image/png' }, 415],
    [{ 'content-length': 50, accept: 'image/png' }, 406],
    [{ 'content-length': 50, authorization: 'wrong' }, 403],
  ] as const) {
    const call = request({ port, host: '127.0.0.1', method: 'POST', path: url, headers: { ...asDjango, 'content-type': 'text/markdown', ...headers } })
    call.on('error', () => undefined)
    call.write('x')
    const [answer] = await once(call, 'response') as [{ statusCode: number }]
    t.equal(answer.statusCode, status)
    call.destroy()
  }
})

await t.test('A body without a length is counted as it arrives', async (t) => {
  const { port } = await listen(t, { CONVERSION_FILE_MAX_SIZE: '100000' })
  const send = async (chunks: readonly string[], end: boolean) => {
    const call = request({ port, host: '127.0.0.1', method: 'POST', path: url, headers: { ...asDjango, accept: 'text/plain' } })
    call.on('error', () => undefined)
    for (const chunk of chunks) call.write(chunk)
    if (end) call.end()
    else call.flushHeaders()
    const [answer] = await once(call, 'response') as [{ statusCode: number }]
    call.destroy()
    return answer.statusCode
  }
  t.equal(await send(['# He', 'llo'], true), 200)
  t.equal(await send([], true), 400)
  // It is rejected while more could still arrive.
  t.equal(await send(['x'.repeat(60_000), 'x'.repeat(60_000)], false), 413)
})

await t.test('With too many at once, the excess requests are told when to retry', async (t) => {
  const app = await build(t, { CONVERSION_THREADS: '1', CONVERSION_MAX_QUEUE: '2' })
  const answers = await Promise.all(Array.from({ length: 6 }, () => convert(app, 'some *text* here\n\n'.repeat(20_000), { accept: 'text/plain' })))
  const refused = answers.filter(({ statusCode }) => statusCode === 503)
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 3, 'one running, two waiting')
  t.equal(refused.length, 3)
  for (const { body, headers } of refused) t.same([body, headers['retry-after']], ['{"error":"The service is busy: try again"}', '2'])
  const metrics = (await app.inject({ url: '/metrics', headers: asDjango })).body
  t.match(metrics, /^y_provider_conversion_failures_total\{from="markdown",to="text",reason="busy"\} 3$/m)
  t.match(metrics, /^y_provider_conversion_seconds_count\{from="markdown",to="text"\} 3$/m)
  t.match(metrics, /^y_provider_conversions_queued 0$/m)
})

await t.test('A conversion that exceeds its time is ended, and its worker replaced', async (t) => {
  const app = await build(t, { CONVERSION_THREADS: '1', CONVERSION_TIMEOUT_MS: '1' })
  const slow = await convert(app, 'some *text* here\n\n'.repeat(50_000))
  t.same([slow.statusCode, slow.body], [503, '{"error":"The conversion took too long: try again"}'])
  t.ok(slow.headers['retry-after'])
  t.match((await app.inject({ url: '/metrics', headers: asDjango })).body, /^y_provider_conversion_failures_total\{from="markdown",to="yjs",reason="deadline"\} 1$/m)
})

for (const [route, type, body] of [
  ['/api/convert/', 'text/markdown', (markdown: string) => markdown],
  ['/api/convert-markdown/', 'application/json', (markdown: string) => JSON.stringify({ content: markdown })],
] as const) {
  await t.test(`${route}: a client that disconnects takes no more of the worker's time, and is not an error in the log`, async (t) => {
    const log: string[] = []
    const { app, port } = await listen(t, { CONVERSION_THREADS: '1' }, { write: (line) => { log.push(line) } })
    // Some seconds of work, and as long a wait for the next one.
    const content = body('some *text* [here](https://example.org)\n\n'.repeat(250_000))
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST ${route} HTTP/1.1\r\nhost: a\r\nauthorization: ${secret}\r\ncontent-type: ${type}\r\ncontent-length: ${content.length}\r\n\r\n${content}`)
    await eventually(() => app.converter.stats().busy > 0)
    socket.destroy()
    t.equal((await convert(app, 'x '.repeat(4000), { accept: 'text/plain' })).statusCode, 200)
    t.equal(app.converter.stats().replaced, 1)
    t.match((await app.inject({ url: '/metrics', headers: asDjango })).body, /^y_provider_conversion_failures_total\{from="markdown",to="yjs",reason="cancelled"\} 1$/m)
    t.same(log.filter((line) => line.includes('"level":50')), [])
  })
}

await t.test('The log says why content is invalid, at level debug', async (t) => {
  const log: string[] = []
  const app = await build(t, { LOG_LEVEL: 'debug' }, { write: (line) => { log.push(line) } })
  const answer = await convert(app, Buffer.from([0xff]), { accept: 'text/plain' })
  t.same([answer.statusCode, answer.body], [400, '{"error":"Invalid content"}'])
  t.match(log.find((line) => line.includes('YP_CONTENT_INVALID')), /"reason":"[^"]*UTF-8/)
  const headers = { ...asDjango, 'content-type': 'application/json' }
  await app.inject({ method: 'POST', url: '/api/convert-markdown/', headers, payload: '{"content": a-private-word' })
  t.notOk(log.some((line) => line.includes('a-private-word')), 'and repeats nothing of a request that is not JSON')
})

await t.test('An unusable blocks module stops the start, and the reason is given', async (t) => {
  await t.rejects(build(t, { CONVERSION_BLOCKS_MODULE: '/no/such/module.js' }), { message: /The blocks module could not be loaded/ })
})
