import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { WebSocketServer } from 'ws'
import { framesOf, hocuspocusAddress, noAddress } from '../../src/protocol/frame.ts'

const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 300_000]

/** The bytes that `ws` writes for these messages, after the handshake. */
async function bytesOfWs (messages: readonly Uint8Array[]): Promise<Buffer> {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  // A TCP server has a port.
  const { port } = listener.address() as { port: number }
  const { connect } = await import('node:net')
  const client = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  const [socket] = await once(listener, 'connection') as [Socket]
  const key = randomBytes(16).toString('base64')
  const request = Object.assign(Object.create(null), { method: 'GET', headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': key, 'sec-websocket-version': '13' }, socket })
  server.handleUpgrade(request, socket, Buffer.alloc(0), (ws) => {
    for (const message of messages) ws.send(message)
    socket.end()
  })
  await once(client, 'close')
  listener.close()
  const all = Buffer.concat(chunks)
  const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  const head = all.indexOf('\r\n\r\n') + 4
  if (!all.subarray(0, head).includes(accept)) throw new Error('The handshake failed')
  return all.subarray(head)
}

await t.test('Frames are identical to those of ws, byte for byte', async (t) => {
  for (const size of sizes) {
    const message = randomBytes(size)
    const [ours, theirs] = [framesOf(noAddress, [message]), await bytesOfWs([message])]
    t.ok(ours.equals(theirs), `${size} bytes`)
  }
  const messages = sizes.map((size) => randomBytes(size))
  t.ok(framesOf(noAddress, messages).equals(await bytesOfWs(messages)), 'several, one after the other')
})

await t.test('An address precedes each message, within its frame', async (t) => {
  for (const name of ['room', 'ü'.repeat(100), '\0session', 'x'.repeat(200)]) {
    const address = hocuspocusAddress(name)
    const messages = [0, 120, 126, 65_530, 70_000].map((size) => randomBytes(size))
    const theirs = await bytesOfWs(messages.map((message) => Buffer.concat([address.bytes, message])))
    t.ok(framesOf(address, messages).equals(theirs), `${name.length} characters`)
  }
})

await t.test('No messages give no bytes', async (t) => {
  t.equal(framesOf(noAddress, []).length, 0)
})
