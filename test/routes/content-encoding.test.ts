import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import t from 'tap'
import { asDjango, build, listen } from '../helper.ts'

const markdown = '# Hello\n'.repeat(100)
const encodings = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
const max = 64 * 1024
const headers = { ...asDjango, 'content-type': 'text/markdown', accept: 'text/markdown' }

/** Sends a body piece by piece, each after the one before was sent. */
async function sendInPieces (
  url: string,
  encoding: string,
  pieces: readonly Buffer[]
): Promise<{ status: number, body: string }> {
  const sending = request(`${url}/api/convert/`, { method: 'POST', headers: { ...headers, 'content-encoding': encoding } })
  sending.on('error', () => undefined) // the server need not read what it rejects
  const answered = once(sending, 'response')
  for (const piece of pieces) await new Promise((resolve) => { sending.write(piece, resolve) })
  sending.end()
  const [response] = await answered
  return { status: response.statusCode, body: await text(response) }
}

t.test('A compressed body gives the same result as an uncompressed one, on both conversion routes', async (t) => {
  const app = await build(t)
  const plain = await app.inject({ method: 'POST', url: '/api/convert/', headers, payload: markdown })
  for (const [encoding, compress] of [...Object.entries(encodings), ['GZip', gzipSync], ['x-gzip', gzipSync], ['identity, gzip', gzipSync], ['identity', Buffer.from], ['', Buffer.from]] as const) {
    const response = await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...headers, 'content-encoding': encoding }, payload: compress(markdown) })
    t.equal(response.statusCode, 200, encoding)
    t.equal(response.body, plain.body, encoding)
  }
  const older = await app.inject({ method: 'POST', url: '/api/convert-markdown', headers: { ...asDjango, 'content-type': 'application/json', 'content-encoding': 'br' }, payload: brotliCompressSync('{"content":"# Hello"}') })
  t.equal(older.statusCode, 200)
})

t.test('An unknown encoding is 415 with the known ones listed; several, damaged or incomplete ones are 400', async (t) => {
  const app = await build(t)
  const send = async (encoding: string, payload: Buffer) => await app.inject({ method: 'POST', url: '/api/convert/', headers: { ...headers, 'content-encoding': encoding }, payload })
  for (const encoding of ['zstd', 'compress', 'gzip, nonsense', 'constructor', 'gzip;q=1']) {
    const response = await send(encoding, gzipSync(markdown))
    t.equal(response.statusCode, 415, encoding)
    t.equal(response.headers['accept-encoding'], 'gzip, deflate, br')
    t.equal(response.body, '{"error":"Unsupported Content-Encoding"}')
  }
  t.same((await send('gzip, gzip', gzipSync(gzipSync(markdown)))).json(), { error: 'More than one Content-Encoding' })
  t.equal((await send('br, gzip', gzipSync(markdown))).statusCode, 400)
  for (const [encoding, compress] of Object.entries(encodings)) {
    const whole = compress(markdown)
    for (const [what, payload] of Object.entries({
      'not encoded': Buffer.from(markdown),
      truncated: whole.subarray(0, -3),
      'a first byte': whole.subarray(0, 1),
      'trailing garbage': Buffer.concat([whole, Buffer.from('garbage')]),
      'trailing zeros': Buffer.concat([whole, Buffer.alloc(8)]),
      twice: encoding === 'gzip' ? Buffer.from('once') : Buffer.concat([whole, whole]),
    })) {
      const response = await send(encoding, payload)
      t.equal(response.statusCode, 400, `${encoding}: ${what}`)
      t.same(response.json(), { error: 'The body is not what Content-Encoding says' })
    }
  }
  t.equal((await send('deflate', deflateRawSync(markdown))).statusCode, 400, 'deflate is zlib\'s format in HTTP')
  t.equal((await send('gzip', Buffer.concat([gzipSync(markdown), gzipSync(markdown)]))).statusCode, 200, 'a gzip file can have several members')
  t.equal((await send('gzip', gzipSync(''))).statusCode, 400)
})

t.test('The decoded size is limited, and a compression bomb is not decoded to its end', async (t) => {
  const { url } = await listen(t, { CONVERSION_FILE_MAX_SIZE: String(max) })
  for (const [encoding, compress] of Object.entries(encodings)) {
    for (const [bytes, status] of [[max, 200], [max + 1, 413]] as const) {
      const response = await fetch(`${url}/api/convert/`, { method: 'POST', headers: { ...headers, 'content-encoding': encoding }, body: compress('a'.repeat(bytes)) })
      t.equal(response.status, status, `${encoding}: ${bytes}`)
      await response.arrayBuffer()
    }
  }
  const bomb = gzipSync(Buffer.alloc(60 * max)) // 4 KB, within the limit
  const before = process.memoryUsage().arrayBuffers
  const response = await fetch(`${url}/api/convert/`, { method: 'POST', headers: { ...headers, 'content-encoding': 'gzip' }, body: bomb })
  t.same([response.status, await response.json()], [413, { error: 'Content too large' }])
  t.ok(process.memoryUsage().arrayBuffers - before < 20 * max, 'most of it was never decoded')
})

t.test('A body in pieces is treated like a body in one piece', async (t) => {
  const { url } = await listen(t, { CONVERSION_FILE_MAX_SIZE: String(max) })
  for (const [encoding, compress] of Object.entries(encodings)) {
    const whole = compress(markdown)
    const pieces = [whole.subarray(0, 5), whole.subarray(5, 20), whole.subarray(20)]
    t.equal((await sendInPieces(url, encoding, pieces)).status, 200, encoding)
    t.equal((await sendInPieces(url, encoding, pieces.slice(0, 2))).status, 400, `${encoding}: truncated`)
    t.equal((await sendInPieces(url, encoding, [...pieces, Buffer.from('garbage')])).status, 400, `${encoding}: trailing garbage`)
    t.equal((await sendInPieces(url, encoding, [compress('a'.repeat(max)), compress('b'.repeat(max))])).status, encoding === 'gzip' ? 413 : 400, `${encoding}: twice`)
  }
  t.equal((await fetch(`${url}/ping`)).status, 200)
})
