import t from 'tap'
import { startRedisCluster } from '../cluster/redis-groups.ts'
import { freePort } from '../free-port.ts'
import { busContract } from './contract.ts'
import {
  away, back, deaf, isHeard, isOneCut, openNoted, opener, refusal, rejectsPassword, survives,
} from './redis-nodes.ts'

const cluster = await startRedisCluster()
t.teardown(() => cluster.remove())
const open = opener(cluster.url)

await t.test('Contract', async (t) => { await busContract(t, open) })

await t.test('A wrong password stops the start', async (t) => {
  t.match(await refusal(cluster.url.replace('://:', '://:not-')), rejectsPassword)
})

await t.test('An unreachable cluster does not stop the start', async (t) => {
  const bus = await opener(`redis+cluster://127.0.0.1:${await freePort()}`)('AAAAAAAA', deaf)
  await bus.close()
  t.pass()
})

await t.test('The loss of a shard without the channels causes no cut', async (t) => {
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

await t.test('The loss and return of the shard with the channels causes one cut', async (t) => {
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

await t.test('A move of the channels to another server causes one cut, and the old server can then fail', async (t) => {
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

await t.test('The bus survives a restart of all servers, one after the other', async (t) => {
  await survives(t, open, async () => {
    for (const index of [0, 1, 2]) await (await cluster.kill(index))()
  })
})

await t.test('A replica that takes over the shard with the channels causes one cut', async (t) => {
  const [a, b] = [await openNoted(t, cluster.url), await openNoted(t, cluster.url)]
  await isHeard(a.bus, b, 'before')
  const holder = await cluster.holder()
  await cluster.addReplica(holder)
  const restart = await cluster.kill(holder)
  await isOneCut(t, a, b)
  await t.test('The return of the lost server as a replica has no effect', async (t) => {
    await restart()
    await cluster.says(holder, 'ok')
    await Promise.all([isHeard(a.bus, b, 'whole'), isHeard(b.bus, a, 'whole')])
    for (const ear of [a, b]) t.same(ear.lines, [away, back])
  })
})

await t.test('A replica that rejects subscribers at first causes one cut, which ends once it accepts them', async (t) => {
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
