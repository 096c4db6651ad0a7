import { finished, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify'
import fp from 'fastify-plugin'
import { ContentTooLarge, EncodingInvalid, EncodingStacked, EncodingUnsupported } from '../errors.ts'

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress } as const
type Encoding = keyof typeof decoders
const isEncoding = (name: string): name is Encoding => Object.hasOwn(decoders, name)

/**
 * Decodes compressed request bodies. A route's body limit holds for the encoded and the decoded bytes. Adds no
 * decorator.
 */
export default fp(async function contentEncoding (app: FastifyInstance) {
  app.addHook('preParsing', async function decodeBody (request, reply, payload) {
    const names = encodingsOf(request)
    if (!names.every(isEncoding)) {
      reply.header('accept-encoding', 'gzip, deflate, br')
      throw new EncodingUnsupported()
    }
    const [name, second] = names
    if (second !== undefined) throw new EncodingStacked()
    const maxBytes = request.routeOptions.bodyLimit ?? app.initialConfig.bodyLimit ?? 0
    return name === undefined ? payload : decode(payload, name, maxBytes)
  })
}, { name: 'content-encoding', fastify: '5.x' })

/** The encodings of the body, without `identity`, which changes nothing. */
function encodingsOf ({ headers }: FastifyRequest): string[] {
  const names = (headers['content-encoding'] ?? '').split(',').map((name) => name.trim().toLowerCase())
  return names.filter((name) => name !== '' && name !== 'identity')
}

/**
 * Decodes a body. Fails if it is longer than `maxBytes`, or if the encoded bytes are truncated, damaged or followed by
 * more. The source stays open, so that the client can be answered.
 */
function decode (source: RequestPayload, name: Encoding, maxBytes: number): RequestPayload {
  const decoder = decoders[name]()
  let decodedBytes = 0
  const body: RequestPayload & Transform = new Transform({
    transform (chunk: Buffer, _encoding, done) {
      decodedBytes += chunk.length
      if (decodedBytes > maxBytes) done(new ContentTooLarge())
      else done(null, chunk)
    },
    flush (done) {
      // The decoder ignores bytes after the end of the encoding.
      if (decoder.bytesWritten === body.receivedEncodedLength) done()
      else done(new EncodingInvalid())
    },
  })
  body.receivedEncodedLength = 0
  source.on('data', (chunk: Buffer) => { body.receivedEncodedLength = (body.receivedEncodedLength ?? 0) + chunk.length })
  finished(source, (error) => { if (error) body.destroy(error) })
  decoder.once('error', () => body.destroy(new EncodingInvalid()))
  body.once('close', () => {
    source.unpipe(decoder)
    source.resume()
    decoder.destroy()
  })
  source.pipe(decoder).pipe(body)
  return body
}
