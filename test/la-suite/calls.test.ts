/** The calls of La Suite's Django to y-provider, header by header, made by Python's `requests`. */
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { listen } from '../helper.ts'
import { apiKey, documentedSettings, secret, startLaSuite } from './la-suite.ts'
import type { Call } from './la-suite.ts'

const room = '2b8f9c1e-7d3a-4f5b-9c8d-0a1b2c3d4e5f'
const markdown = '# Plan\n\nSome **bold** words.\n'
const types = {
  markdown: 'text/markdown',
  html: 'text/html',
  json: 'application/json',
  yjs: 'application/vnd.yjs.doc',
  blockNote: 'application/vnd.blocknote+json',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
}
const json = 'application/json; charset=utf-8'

const suite = await startLaSuite(t)
const { url } = await listen(t, documentedSettings('3.4 to 5.7', {
  COLLABORATION_SERVER_SECRET: secret,
  Y_PROVIDER_API_KEY: apiKey,
  COLLABORATION_BACKEND_BASE_URL: suite.url,
  DATA_DIR: t.testdir(),
}))

/** @param content text, or bytes such as those of a Yjs update */
async function convert (
  content: string | Uint8Array,
  contentType: string,
  accept: string,
  more: Record<string, string> = {}
): Promise<Call> {
  return await suite.play('convert', url, { content: Buffer.from(content).toString('base64'), content_type: contentType, accept, ...more })
}

/** The fields that were sent, with those that `requests` adds. */
function checkSent (t: Test, { sent }: Call, wanted: Record<string, string>): void {
  const { 'user-agent': agent, ...rest } = sent
  t.match(agent, /^python-requests\//)
  t.strictSame(rest, { accept: '*/*', 'accept-encoding': 'gzip, deflate', connection: 'keep-alive', ...wanted })
}

/** Status and every header. `requests` keeps the connection alive, and decodes only encoded answers. */
function checkAnswer (t: Test, { status, headers, body }: Call, wanted: { status: number, type: string }): void {
  t.equal(status, wanted.status, 'status')
  const { date, 'keep-alive': keepAlive, ...rest } = headers
  t.ok(date)
  t.match(keepAlive, /^timeout=\d+$/)
  t.strictSame(rest, {
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'X-Conversion-Dropped, Retry-After',
    connection: 'keep-alive',
    'content-length': String(body.length),
    'content-type': wanted.type,
    vary: 'Origin',
  })
}

function checkJson (t: Test, call: Call, status: number, body: object): void {
  checkAnswer(t, call, { status, type: json })
  t.strictSame(JSON.parse(call.body.toString()), body)
}

t.test('3.4 to 5.7: a document is made from markdown, and read in every format', async (t) => {
  const made = await convert(markdown, types.markdown, types.yjs)
  checkSent(t, made, { authorization: `Bearer ${apiKey}`, 'content-type': types.markdown, accept: types.yjs, 'content-length': String(markdown.length) })
  checkAnswer(t, made, { status: 200, type: types.yjs })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, made.body)
  t.match(doc.getXmlFragment('document-store').toString(), /<heading.*Plan.*<bold>bold<\/bold>/, 'where the page looks for it')

  const asMarkdown = await convert(made.body, types.yjs, types.markdown)
  checkSent(t, asMarkdown, { authorization: `Bearer ${apiKey}`, 'content-type': types.yjs, accept: types.markdown, 'content-length': String(made.body.length) })
  checkAnswer(t, asMarkdown, { status: 200, type: 'text/markdown; charset=utf-8' })
  t.equal(asMarkdown.body.toString(), markdown)

  const asHtml = await convert(made.body, types.yjs, types.html)
  checkAnswer(t, asHtml, { status: 200, type: 'text/html; charset=utf-8' })
  t.match(asHtml.body.toString(), /<h1>Plan<\/h1>.*<strong>bold<\/strong>/s)

  const asJson = await convert(made.body, types.yjs, types.json)
  checkAnswer(t, asJson, { status: 200, type: types.json })
  t.match(JSON.parse(asJson.body.toString()), [{ type: 'heading', content: [{ text: 'Plan' }] }, { type: 'paragraph' }])
})

t.test('4.5 to 5.7: an imported .docx arrives as blocks from another service', async (t) => {
  const blocks = JSON.stringify([{ type: 'paragraph', content: 'From a file' }])
  const made = await convert(blocks, types.blockNote, types.yjs)
  checkAnswer(t, made, { status: 200, type: types.yjs })
  t.equal((await convert(made.body, types.yjs, types.markdown)).body.toString(), 'From a file\n')
  checkJson(t, await convert('PK', types.docx, types.yjs), 415, { error: 'Unsupported Content-Type' })
})

t.test('A document without content has no text in any format', async (t) => {
  const empty = Y.encodeStateAsUpdate(new Y.Doc())
  for (const [format, body] of [['markdown', ''], ['html', ''], ['json', '[]']] as const) {
    const { status, body: converted } = await convert(empty, types.yjs, types[format])
    t.same({ status, body: converted.toString().trim() }, { status: 200, body }, format)
  }
})

t.test('Conversions that are rejected', async (t) => {
  checkJson(t, await convert('', types.markdown, types.yjs), 400, { error: 'Invalid request: missing content' })
  checkJson(t, await convert('no update', types.yjs, types.html), 400, { error: 'Invalid content' })
  checkJson(t, await convert(markdown, types.markdown, 'application/pdf'), 406, { error: 'Unsupported format' })
  for (const key of ['Bearer wrong', 'wrong', '', `Bearer ${secret}`, `Bearer ${apiKey}x`]) {
    checkJson(t, await convert(markdown, types.markdown, types.yjs, { key }), 403, { error: 'Forbidden: Invalid API Key' })
  }
})

t.test('1.10 to 3.3: a document is made from markdown, in JSON, with the raw key', async (t) => {
  const made = await suite.play('convert_markdown', url, { content: markdown })
  checkSent(t, made, { authorization: apiKey, 'content-type': 'application/json', 'content-length': String(JSON.stringify({ content: markdown }).length + 1) })
  checkAnswer(t, made, { status: 200, type: json })
  const { content, ...rest } = JSON.parse(made.body.toString()) as { content: string }
  t.strictSame(rest, {})
  t.equal((await convert(Buffer.from(content, 'base64'), types.yjs, types.markdown)).body.toString(), markdown)
  checkJson(t, await suite.play('convert_markdown', url, { content: '' }), 400, { error: 'Invalid request: missing content' })
  checkJson(t, await suite.play('convert_markdown', url, { content: markdown, key: 'wrong' }), 403, { error: 'Forbidden: Invalid API Key' })
})

t.test('1.9 to 5.7: connections are reset', async (t) => {
  const ofAll = await suite.play('reset_connections', url, { room })
  checkSent(t, ofAll, { authorization: secret, 'content-length': '0' })
  checkJson(t, ofAll, 200, { message: 'Connections reset' })
  const ofOne = await suite.play('reset_connections', url, { room, user_id: 'alice' })
  checkSent(t, ofOne, { authorization: secret, 'x-user-id': 'alice', 'content-length': '0' })
  checkJson(t, ofOne, 200, { message: 'Connections reset' })
  checkJson(t, await suite.play('reset_connections', url, { room: '' }), 400, { error: 'Room name not provided' })
  checkJson(t, await suite.play('reset_connections', url, { room, secret: `Bearer ${secret}` }), 403, { error: 'Forbidden: Invalid API Key' })
})

t.test('3.4 to 5.7: connections are counted', async (t) => {
  const nobody = await suite.play('get_connections', url, { room, session_key: 'alice-1' })
  checkSent(t, nobody, { authorization: secret })
  checkJson(t, nobody, 404, { error: 'Room not found' })
  checkJson(t, await suite.play('get_connections', url, { room: '', session_key: 'alice-1' }), 400, { error: 'Room name not provided' })
  checkJson(t, await suite.play('get_connections', url, { room, session_key: '' }), 400, { error: 'Session key not provided' })
  checkJson(t, await suite.play('get_connections', url, { room, session_key: 'alice-1', secret: 'wrong' }), 403, { error: 'Forbidden: Invalid API Key' })
})

t.end()
