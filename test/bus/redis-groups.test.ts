import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import type { Bus, OpenBus } from '../../src/bus/bus.ts'
import { openRedisBus } from '../../src/bus/redis-bus.ts'
import type { Logger } from '../../src/logger.ts'
import { masterName, startRedisCluster, startSentinels } from '../cluster/redis-groups.ts'
import { freePort } from '../processes.ts'
import { busContract, openEar, type Ear } from './contract.ts'

const note = (): void => {}
const logger: Logger = { debug: note, info: note, warn: note, error: note }
const opener = (url: string): OpenBus => (node, listener) => openRedisBus({ url, prefix: 'test', logger }, node, listener)
const deaf: Parameters<OpenBus>[1] = { received () {}, restored () {} }

t.setTimeout(120_000)

/** Says it again until it is heard: what is said while Redis looks for itself is lost. */
async function isHeard (from: Bus, to: Ear, text: string): Promise<void> {
  while (!to.heard.some((message) => message.text === text)) {
    from.send(to.bus.node, Buffer.from(text))
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
}

/** Two who hear each other, a fault, and then again: both were told that something may be lost. */
async function survives (t: Test, open: OpenBus, fault: () => Promise<void>): Promise<void> {
  const [a, b] = [await openEar(t, open), await openEar(t, open)]
  await isHeard(a.bus, b, 'before')
  await fault()
  await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after too')])
  while (a.restored() === 0 || b.restored() === 0) await new Promise((resolve) => { setImmediate(resolve) })
  t.ok(a.restored() > 0 && b.restored() > 0)
}

await t.test('Sentinel', async (t) => {
  const sentinels = await startSentinels()
  t.teardown(() => sentinels.remove())
  const open = opener(sentinels.url)
  await t.test('contract', async (t) => { await busContract(t, open) })
  await t.test('a wrong name of the master, or wrong passwords, end the start', async (t) => {
    await t.rejects(opener(sentinels.url.replace(`/${masterName}?`, '/other?'))('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .+/ })
    await t.rejects(opener(sentinels.url.replace('sentinel_password=', 'sentinel_password=not-'))('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .+/ })
    await t.rejects(opener(sentinels.url.replace('://:', '://:not-'))('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .+/ })
    await t.rejects(opener(`redis+sentinel://127.0.0.1:${await freePort()}/main`)('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .*ECONNREFUSED/ })
  })
  await t.test('a dead Sentinel that is asked first is no cut', async (t) => {
    const dead = await freePort()
    const noisy = new EventEmitter()
    const open: OpenBus = (node, listener) => openRedisBus({
      url: sentinels.url.replace('@', `@127.0.0.1:${dead},`), prefix: 'test', logger: { ...logger, warn: () => { noisy.emit('cut') } },
    }, node, listener)
    let cuts = 0
    noisy.on('cut', () => { cuts++ })
    const [a, b] = [await openEar(t, open), await openEar(t, open)]
    await isHeard(a.bus, b, 'before')
    // The library scans every 5 s, unseen from here: the servers count who asks.
    const asked = await sentinels.scans()
    while (await sentinels.scans() < asked + 6) await isHeard(a.bus, b, 'meanwhile')
    await isHeard(b.bus, a, 'after')
    t.equal(cuts, 0)
    t.equal(a.restored() + b.restored(), 0)
  })
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
    await t.rejects(opener(cluster.url.replace('://:', '://:not-'))('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .+/ })
    await t.rejects(opener(`redis+cluster://127.0.0.1:${await freePort()}`)('AAAAAAAA', deaf), { message: /^REDIS_URL cannot be used: .+/ })
  })
  await t.test('all its servers are restarted, one after the other', async (t) => {
    await survives(t, open, async () => {
      for (const index of [0, 1, 2]) await (await cluster.kill(index))()
    })
  })
})
