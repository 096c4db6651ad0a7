import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { AnswersInFlight } from '../../src/http/answers-in-flight.ts'
import { eventually } from '../clients/eventually.ts'

/** Far more than the buffers of a socket. */
const answerBytes = 64 * 1024 * 1024

/** A server whose only answer is large. */
async function start (t: Test, maxBytes: number, stalledMs: number) {
  const inFlight = new AnswersInFlight(maxBytes, stalledMs)
  const app = Fastify({ forceCloseConnections: true })
  app.get('/', async (_request, reply) => {
    inFlight.assertRoom()
    inFlight.add(reply, answerBytes)
    return await reply.send(Buffer.alloc(answerBytes))
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo // a TCP port
  /** Asks for answers, and does not read them. */
  const ask = (times = 1): Socket => {
    const socket = connect(port, '127.0.0.1').pause()
    t.teardown(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(times - 1))
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    return socket
  }
  return { app, inFlight, ask }
}

const noStall = 600_000

await t.test('While clients have much to read, further answers are refused', async (t) => {
  const { app, inFlight, ask } = await start(t, 2 * answerBytes, noStall)
  const [reader, leaver] = [ask(), ask()]
  await eventually(() => inFlight.bytes === 2 * answerBytes)
  t.match((await app.inject('/')).statusCode, 503)
  t.equal(inFlight.bytes, 2 * answerBytes, 'a refused answer does not count')
  reader.resume()
  await once(reader, 'close')
  await eventually(() => inFlight.bytes === answerBytes)
  leaver.destroy()
  await eventually(() => inFlight.bytes === 0)
  t.equal((await app.inject('/')).statusCode, 200)
})

await t.test('Answers to pipelined requests count until their connection ends', async (t) => {
  const { app, inFlight, ask } = await start(t, 20 * answerBytes, noStall)
  const warnings: Error[] = []
  const warn = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const reader = ask(12)
  await eventually(() => inFlight.bytes === 12 * answerBytes)
  reader.destroy()
  await eventually(() => inFlight.bytes === 0)
  t.equal((await app.inject('/')).statusCode, 200)
  t.equal(inFlight.bytes, 0)
  t.same(warnings, [])
})

await t.test('A client that stops reading is disconnected', async (t) => {
  const { inFlight, ask } = await start(t, answerBytes, 50)
  const socket = ask().on('error', () => {})
  await once(socket, 'connect')
  await eventually(() => inFlight.bytes === answerBytes)
  await eventually(() => inFlight.bytes === 0)
  let read = 0
  socket.on('data', (bytes) => { read += bytes.length }).resume()
  await once(socket, 'close')
  t.ok(read < answerBytes)
})
