import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { framesOf, noAddress } from '../../src/protocol/frame.ts'
import { InboundBudget } from '../../src/sessions/inbound-budget.ts'
import { WsSocket } from '../../src/sessions/web-socket.ts'
import { quiet } from '../store/quiet-logger.ts'

const now = (): number => performance.now()
const gate = {
  now,
  inbound: new InboundBudget({ maxBytes: 1e9, logger: quiet, now }),
  maxMessageBytes: 1e6,
  maxBufferedBytes: 1e6,
}

async function pair (t: Test): Promise<{ server: WebSocket, client: WebSocket, socket: WsSocket, heard: Buffer[] }> {
  const listener = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  t.teardown(() => {
    for (const client of listener.clients) client.terminate()
    listener.close()
  })
  await once(listener, 'listening')
  const connected = once(listener, 'connection')
  // A TCP server has a port.
  const client = new WebSocket(`ws://127.0.0.1:${(listener.address() as { port: number }).port}`)
  const heard: Buffer[] = []
  client.on('message', (data: Buffer) => { heard.push(data) })
  const [server] = await connected as [WebSocket]
  if (client.readyState !== client.OPEN) await once(client, 'open')
  return { server, client, heard, socket: new WsSocket(server, gate, () => {}) }
}

const messages = [0, 1, 125, 126, 65_535, 65_536, 300_000].map((size) => randomBytes(size))

await t.test('Encoded frames and frames of ws mix on one socket', async (t) => {
  const { server, client, socket, heard } = await pair(t)
  const sent: Buffer[] = []
  for (let i = 0; i < 20; i++) {
    const message = messages[i % messages.length]!
    if (i % 3 === 0) server.send(message)
    else socket.write(framesOf(noAddress, [message, message]))
    sent.push(...i % 3 === 0 ? [message] : [message, message])
    if (i % 4 === 0) socket.ping()
  }
  socket.close({ code: 4205, reason: 'Reset Connection' })
  socket.write(framesOf(noAddress, [Buffer.from('too late')]))
  const [code, reason] = await once(client, 'close') as [number, Buffer]
  t.same([code, `${reason}`], [4205, 'Reset Connection'])
  t.ok(Buffer.concat(heard).equals(Buffer.concat(sent)))
  t.equal(heard.length, sent.length)
})

await t.test('Bytes that a client does not take are counted, and waited for', async (t) => {
  const { client, socket, heard } = await pair(t)
  await socket.drained()
  client.pause()
  // More than the kernel keeps for both ends of a connection.
  socket.write(framesOf(noAddress, [Buffer.alloc(32 << 20)]))
  let isDrained = false
  const drained = socket.drained().then(() => { isDrained = true })
  // A socket that had nothing to wait for would resolve within one turn.
  await new Promise(setImmediate)
  t.notOk(isDrained)
  client.resume()
  await drained
  t.equal(socket.buffered, 0)
  if (heard.length === 0) await once(client, 'message')
})

await t.test('Each of many waiters finds the socket empty, in order', async (t) => {
  const { client, socket } = await pair(t)
  client.pause()
  const message = framesOf(noAddress, [randomBytes(8 << 20)])
  socket.write(message)
  const seen: Array<{ who: number, buffered: number }> = []
  const waiting = Array.from({ length: 5 }, async (_, who) => {
    await socket.drained()
    seen.push({ who, buffered: socket.buffered })
    socket.write(message)
  })
  client.resume()
  await Promise.all(waiting)
  t.same(seen, [0, 1, 2, 3, 4].map((who) => ({ who, buffered: 0 })))
})

await t.test('Pings are answered, unless the client does not read the answers', async (t) => {
  const { client, socket } = await pair(t)
  const answered = once(client, 'pong')
  socket.pong(Buffer.from('here'))
  t.equal(String((await answered)[0]), 'here')
  client.pause()
  // More than the kernel keeps for both ends of a connection.
  socket.write(framesOf(noAddress, [Buffer.alloc(32 << 20)]))
  const { buffered } = socket
  for (let count = 0; count < 10_000; count++) socket.pong(Buffer.alloc(125))
  t.ok(socket.buffered <= Math.max(buffered, 64 * 1024) + 127, `${socket.buffered} bytes wait`)
  socket.pong(Buffer.from('the last'))
  const pongs: string[] = []
  client.on('pong', (data: Buffer) => { pongs.push(String(data)) })
  const last = once(client, 'pong')
  client.resume()
  await last
  t.same(pongs, ['the last'], 'it is sent after the bytes that were to be read')
})

await t.test('Waiting ends with the socket', async (t) => {
  const { client, socket } = await pair(t)
  client.pause()
  // More than the kernel keeps for both ends of a connection.
  socket.write(framesOf(noAddress, [Buffer.alloc(32 << 20)]))
  const drained = socket.drained()
  socket.terminate()
  await drained
  await socket.drained()
  t.pass()
})

await t.test('Reading pauses until every pause is released', async (t) => {
  const { server, client, socket } = await pair(t)
  const got: string[] = []
  server.on('message', (data) => { got.push(`${data}`) })
  socket.pause()
  socket.pause()
  client.send('a')
  socket.resume()
  t.ok(server.isPaused)
  socket.resume()
  await once(server, 'message')
  t.same(got, ['a'])
})

await t.test('A paused socket can be closed: the answer is read', async (t) => {
  const { server, client, socket } = await pair(t)
  socket.pause()
  socket.close({ code: 4205, reason: 'Reset Connection' })
  const closed = once(server, 'close')
  const [code] = await once(client, 'close')
  await closed
  t.equal(code, 4205)
})
