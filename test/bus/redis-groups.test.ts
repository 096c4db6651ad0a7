import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { everyone, type Bus, type OpenBus } from '../../src/bus/bus.ts'
import { openRedisBus } from '../../src/bus/redis-bus.ts'
import { redisFailure } from '../../src/bus/redis-failure.ts'
import type { Logger } from '../../src/logging/logger.ts'
import { masterName, startRedisCluster, startSentinels } from '../cluster/redis-groups.ts'
import { freePort } from '../processes.ts'
import { busContract, openEar, type Ear } from './contract.ts'

const note = (): void => {}
const logger: Logger = { debug: note, info: note, warn: note, error: note }
const opener = (url: string): OpenBus => (node, listener) => openRedisBus({ url, prefix: 'test', logger }, node, listener)
const deaf: Parameters<OpenBus>[1] = { received () {}, restored () {} }

/** Why a bus at this URL does not open. */
const refusal = (url: string): Promise<string> => opener(url)('AAAAAAAA', deaf).then(() => 'let in', redisFailure)
const rejectsPassword = /^the server rejects the user or the password/

const away = 'Redis is unreachable; the nodes read the store to see each other\'s updates'
const back = 'Redis is back'

t.setTimeout(180_000)

/** A node, and what its log says. */
interface Noted extends Ear { readonly lines: readonly string[] }

async function openNoted (t: Test, url: string): Promise<Noted> {
  const lines: string[] = []
  const note = (_details: object, text: string): void => { lines.push(text) }
  const ear = await openEar(t, (node, listener) => openRedisBus({ url, prefix: 'test', logger: { debug () {}, info: note, warn: note, error: note } }, node, listener))
  return { ...ear, lines }
}

/** Says it again until it is heard: what is said while Redis looks for itself is lost. */
async function isHeard (from: Bus, to: Ear, text: string): Promise<void> {
  while (!to.heard.some((message) => message.text === text)) {
    from.send(to.bus.node, Buffer.from(text))
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
}

/** Both are told once that the way is open again, and from then on hear what is said once: to one, and to all. */
async function isOneCut (t: Test, a: Noted, b: Noted): Promise<void> {
  await Promise.all([a.isRestored(1), b.isRestored(1)])
  a.bus.send(b.bus.node, Buffer.from('said once'))
  b.bus.send(everyone, Buffer.from('to all'))
  const hears = (ear: Ear, text: string): boolean => ear.heard.some((message) => message.text === text)
  while (!hears(b, 'said once') || !hears(a, 'to all')) await Promise.race([a.hears(a.heard.length + 1), b.hears(b.heard.length + 1)])
  for (const ear of [a, b]) t.same(ear.lines, [away, back])
}

/** Two who hear each other, a fault, and then again: both were told that something may be lost. */
async function survives (t: Test, open: OpenBus, fault: () => Promise<void>): Promise<void> {
  const [a, b] = [await openEar(t, open), await openEar(t, open)]
  await isHeard(a.bus, b, 'before')
  await fault()
  await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after too')])
  await Promise.all([a.isRestored(1), b.isRestored(1)])
}

await t.test('Sentinel', async (t) => {
  const sentinels = await startSentinels()
  t.teardown(() => sentinels.remove())
  const open = opener(sentinels.url)
  await t.test('contract', async (t) => { await busContract(t, open) })
  await t.test('a wrong name of the master, or wrong passwords, end the start', async (t) => {
    t.equal(await refusal(sentinels.url.replace(`/${masterName}?`, '/other?')), 'the Sentinels know no master with this name')
    t.match(await refusal(sentinels.url.replace('sentinel_password=', 'sentinel_password=not-')), rejectsPassword)
    t.match(await refusal(sentinels.url.replace('://:', '://:not-')), rejectsPassword)
  })
  await t.test('Sentinels that are not there do not stop the start', async (t) => {
    const bus = await opener(`redis+sentinel://127.0.0.1:${await freePort()}/main`)('AAAAAAAA', deaf)
    await bus.close()
    t.pass()
  })
  await t.test('a Sentinel that is asked first and hangs up is no cut', { timeout: 60_000 }, async (t) => {
    const news = new EventEmitter()
    const hangsUp = createServer((socket) => {
      socket.destroy()
      news.emit('asked')
    }).listen(0, '127.0.0.1')
    await once(hangsUp, 'listening')
    t.teardown(() => { hangsUp.close() })
    const { port } = hangsUp.address() as AddressInfo // listen() on a TCP port gives an object
    const url = sentinels.url.replace('@', `@127.0.0.1:${port},`)
    const [a, b] = [await openNoted(t, url), await openNoted(t, url)]
    await isHeard(a.bus, b, 'before')
    // Each of the two asks it first in each of its scans.
    for (let scans = 0; scans < 2; scans++) await once(news, 'asked')
    await isHeard(b.bus, a, 'after')
    t.same([...a.lines, ...b.lines], [])
  })
  await t.test('a Sentinel that is asked first and does not answer holds the start and what is sent up for a moment, and is no cut', { timeout: 60_000 }, async (t) => {
    const news = new EventEmitter()
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', note).resume()
      news.emit('asked')
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => {
      silent.close()
      for (const socket of sockets) socket.destroy()
    })
    const { port } = silent.address() as AddressInfo // listen() on a TCP port gives an object
    const url = sentinels.url.replace('@', `@127.0.0.1:${port},`)
    const [a, b] = await Promise.all([openNoted(t, url), openNoted(t, url)])
    await isHeard(a.bus, b, 'before')
    // A scan of each of the two.
    for (let scans = 0; scans < 2; scans++) await once(news, 'asked')
    const sentAt = performance.now()
    await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after')])
    t.ok(performance.now() - sentAt < 5000)
    t.same([...a.lines, ...b.lines], [])
  })
  for (const type of ['normal', 'pubsub'] as const) {
    await t.test(`a cut of the ${type} connections to the master is told once it is over`, { timeout: 30_000 }, async (t) => {
      const [a, b] = [await openNoted(t, sentinels.url), await openNoted(t, sentinels.url)]
      await isHeard(a.bus, b, 'before')
      await sentinels.killConnections(type)
      await Promise.all([a.isRestored(1), b.isRestored(1)])
      await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after too')])
      for (const ear of [a, b]) t.same(ear.lines, [away, back])
    })
  }
  await t.test('the master dies: another takes over, and all hear each other again', async (t) => {
    await survives(t, open, () => sentinels.master.stop())
    await t.test('who comes now finds the new one', async (t) => {
      const ear = await openEar(t, open)
      await isHeard(ear.bus, ear, 'to myself')
    })
  })
})

await t.test('Redis Cluster', async (t) => {
  const cluster = await startRedisCluster()
  t.teardown(() => cluster.remove())
  const open = opener(cluster.url)
  await t.test('contract', async (t) => { await busContract(t, open) })
  await t.test('a wrong password ends the start', async (t) => {
    t.match(await refusal(cluster.url.replace('://:', '://:not-')), rejectsPassword)
  })
  await t.test('a cluster that is not there does not stop the start', async (t) => {
    const bus = await opener(`redis+cluster://127.0.0.1:${await freePort()}`)('AAAAAAAA', deaf)
    await bus.close()
    t.pass()
  })
  await t.test('a shard without the channels is lost: that is no cut', { timeout: 60_000 }, async (t) => {
    const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
    await isHeard(a.bus, b, 'before')
    const holder = await cluster.holder()
    const restart = await cluster.kill((holder + 1) % 3)
    await isHeard(a.bus, b, 'just after')
    await cluster.says(holder, 'fail')
    await Promise.all([isHeard(a.bus, b, 'without it'), isHeard(b.bus, a, 'without it')])
    await restart()
    await cluster.says(holder, 'ok')
    await Promise.all([isHeard(a.bus, b, 'whole'), isHeard(b.bus, a, 'whole')])
    t.same([...a.lines, ...b.lines], [])
  })
  await t.test('the shard with the channels is lost and comes back: one cut', { timeout: 60_000 }, async (t) => {
    const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
    await isHeard(a.bus, b, 'before')
    const holder = await cluster.holder()
    const restart = await cluster.kill(holder)
    await cluster.says((holder + 1) % 3, 'fail')
    t.same([...a.lines, ...b.lines], [away, away])
    await restart()
    await isOneCut(t, a, b)
    for (const index of [0, 1, 2]) await cluster.says(index, 'ok')
  })
  await t.test('the channels move to another server: one cut, and the server they left may go', { timeout: 60_000 }, async (t) => {
    const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
    await isHeard(a.bus, b, 'before')
    const from = await cluster.holder()
    const to = (from + 1) % 3
    await cluster.move('{test}', from, to)
    await Promise.all([isHeard(a.bus, b, 'moved'), isHeard(b.bus, a, 'moved')])
    await isOneCut(t, a, b)
    const restart = await cluster.kill(from)
    await cluster.says(to, 'fail')
    await Promise.all([isHeard(a.bus, b, 'without it'), isHeard(b.bus, a, 'without it')])
    await restart()
    await cluster.says(to, 'ok')
    for (const ear of [a, b]) t.same(ear.lines, [away, back])
  })
  await t.test('all its servers are restarted, one after the other', async (t) => {
    await survives(t, open, async () => {
      for (const index of [0, 1, 2]) await (await cluster.kill(index))()
    })
  })
  await t.test('the shard with the channels is lost and its replica takes over: one cut', { timeout: 60_000 }, async (t) => {
    const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
    await isHeard(a.bus, b, 'before')
    const holder = await cluster.holder()
    await cluster.addReplica(holder)
    const restart = await cluster.kill(holder)
    await isOneCut(t, a, b)
    await t.test('the lost one comes back as a replica: nobody notices', async (t) => {
      await restart()
      await cluster.says(holder, 'ok')
      await Promise.all([isHeard(a.bus, b, 'whole'), isHeard(b.bus, a, 'whole')])
      for (const ear of [a, b]) t.same(ear.lines, [away, back])
    })
  })
  await t.test('the replica that takes over turns subscribers away at first: one cut, once it takes them', { timeout: 60_000 }, async (t) => {
    const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
    await isHeard(a.bus, b, 'before')
    const holder = await cluster.holder()
    await cluster.addReplica(holder)
    const refusal = await cluster.othersRefuseSubscribers(holder)
    await cluster.kill(holder)
    await refusal.isFelt()
    t.same([...a.lines, ...b.lines], [away, away])
    await refusal.end()
    await isOneCut(t, a, b)
  })
})
