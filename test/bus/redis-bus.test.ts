import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createClient } from 'redis'
import t from 'tap'
import type { OpenBus } from '../../src/bus/bus.ts'
import { openRedisBus } from '../../src/bus/redis-bus.ts'
import { redisFailure } from '../../src/bus/redis-failure.ts'
import type { Logger } from '../../src/logging/logger.ts'
import { freePort } from '../free-port.ts'
import { startRedis } from '../cluster/redis-server.ts'
import { busContract, openEar } from './contract.ts'

/** Calls back with each line of the log. */
function logger (line: (text: string, fields: object) => void = () => {}): Logger {
  const note = (fields: object, text: string): void => { line(text, fields) }
  return { debug () {}, info: note, warn: note, error: note }
}

const opener = (url: string, prefix = 'test', log = logger(), more: { patienceMs?: number } = {}): OpenBus =>
  (node, listener) => openRedisBus({ url, prefix, logger: log, ...more }, node, listener)

const deaf: Parameters<OpenBus>[1] = { received () {}, restored () {} }

const redis = await startRedis()
t.teardown(() => redis.remove())

await t.test('Contract', async (t) => { await busContract(t, opener(redis.url)) })

await t.test('Services with different prefixes do not receive each other\'s messages', async (t) => {
  const [a, b] = [await openEar(t, opener(redis.url, 'one')), await openEar(t, opener(redis.url, 'two'))]
  a.bus.send(b.bus.node, Buffer.from('private'))
  b.bus.send(b.bus.node, Buffer.from('own'))
  await b.hears(1)
  t.equal(b.heard[0]?.text, 'own')
})

await t.test('A restart of Redis loses messages and is reported once it is over', async (t) => {
  const lines: string[] = []
  let noticed = (): void => {}
  const log = logger((line) => { lines.push(line); noticed() })
  const [a, b] = [await openEar(t, opener(redis.url, 'test', log)), await openEar(t, opener(redis.url))]
  const away = new Promise<void>((resolve) => { noticed = resolve })
  await redis.stop()
  await away
  t.doesNotThrow(() => { a.bus.send(b.bus.node, Buffer.from('lost')) })
  const back = new Promise<void>((resolve) => { noticed = resolve })
  await redis.restart()
  await back
  t.equal(a.restored(), 1)
  t.same(lines, ['Redis is unreachable; the nodes read the store to see each other\'s updates', 'Redis is reachable again'])
  await b.isRestored(1)
  a.bus.send(b.bus.node, Buffer.from('heard'))
  await b.hears(1)
  t.equal(b.heard[0]?.text, 'heard')
})

await t.test('Passwords are used, and a wrong one stops the start with one line', async (t) => {
  const locked = await startRedis(['--requirepass', 'open-sesame'])
  t.teardown(() => locked.remove())
  const ear = await openEar(t, opener(`redis://:open-sesame@127.0.0.1:${locked.port}`))
  ear.bus.send(ear.bus.node, Buffer.from('in'))
  await ear.hears(1)
  const refusal = (url: string) => opener(url)('AAAAAAAA', deaf).then(() => 'connected', redisFailure)
  t.match(await refusal(`redis://:wrong@127.0.0.1:${locked.port}`), /^the server rejects the user or the password/)
  t.equal(await refusal(locked.url), 'the server asks for a password')
  t.equal(await refusal(`redis://:open-sesame@127.0.0.1:${locked.port}/999`), 'the server has no database with this number')
  t.equal(await refusal(`redis+cluster://:open-sesame@127.0.0.1:${locked.port}`), 'the server is not part of a Redis Cluster')
})

await t.test('An unreachable Redis does not stop the start: the bus opens, and carries messages once Redis is available', async (t) => {
  const late = await startRedis()
  t.teardown(() => late.remove())
  await late.stop()
  const lines: string[] = []
  const open = opener(late.url, 'late', logger((line) => { lines.push(line) }))
  const [a, b] = await Promise.all([openEar(t, open), openEar(t, open)])
  t.match(lines, [/^Redis is unreachable/, /^Redis is unreachable/])
  a.bus.send(b.bus.node, Buffer.from('lost'))
  await late.restart()
  const repeat = setInterval(() => { a.bus.send(b.bus.node, Buffer.from('heard')) }, 20)
  t.teardown(() => { clearInterval(repeat) })
  await b.hears(1)
  t.equal(b.heard[0]?.text, 'heard')
})

await t.test('The start waits for Redis no longer than its limit, and the attempt continues', async (t) => {
  const frozen = await startRedis()
  t.teardown(() => frozen.remove())
  process.kill(frozen.pid(), 'SIGSTOP')
  const lines: string[] = []
  const ear = await openEar(t, opener(frozen.url, 'frozen', logger((line) => { lines.push(line) }), { patienceMs: 100 }))
  process.kill(frozen.pid(), 'SIGCONT')
  await ear.isRestored(1)
  t.match(lines, [/^Redis is unreachable/, 'Redis answers'])
  ear.bus.send(ear.bus.node, Buffer.from('heard'))
  await ear.hears(1)
  const client = await createClient({ url: frozen.url }).connect()
  t.teardown(() => client.close())
  t.match(await client.info('stats'), /^total_connections_received:2\r$/m, 'one from the bus, and this one')
})

await t.test('A Redis that accepts connections and hangs does not stop the start', async (t) => {
  const hangs = createServer().listen(0, '127.0.0.1')
  t.teardown(() => { hangs.close() })
  await once(hangs, 'listening')
  const lines: string[] = []
  // listen() on a TCP port gives an object; only pipes give a string.
  const { port } = hangs.address() as AddressInfo
  const bus = await opener(`redis://127.0.0.1:${port}`, 'test', logger((line) => { lines.push(line) }))('AAAAAAAA', deaf)
  t.match(lines, [/^Redis is unreachable/])
  await bus.close()
})

await t.test('A repeated failure is logged once, in one line without a stack', async (t) => {
  const port = await freePort()
  const lines: [text: string, fields: object][] = []
  const bus = await opener(`redis://127.0.0.1:${port}`, 'test', logger((...line) => { lines.push(line) }))('AAAAAAAA', deaf)
  const refuses = createServer((socket) => {
    socket.on('error', () => {}) // the bus disconnects
    socket.on('data', () => { socket.write('-NOPERM not for you\r\n') })
  }).listen(port, '127.0.0.1')
  t.teardown(() => { refuses.close() })
  // When the third attempt begins, two have failed.
  for (let attempts = 0; attempts < 3; attempts++) await once(refuses, 'connection')
  await bus.close()
  t.match(lines, [
    [/^Redis is unreachable/, { err: undefined, cause: /^.+$/, code: 'ECONNREFUSED' }],
    [/^Redis rejects this node/, { err: undefined, cause: 'NOPERM not for you', reason: 'the user lacks the right to publish or to subscribe' }],
  ])
  t.equal(lines.length, 2)
})

await t.test('A bus that never opened can be closed', async (t) => {
  const bus = await opener(`redis://127.0.0.1:${await freePort()}`)('AAAAAAAA', deaf)
  await bus.close()
  t.pass()
})
