import { EventEmitter, once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { masterName, startSentinels } from '../cluster/redis-groups.ts'
import { freePort } from '../free-port.ts'
import { busContract, openEar } from './contract.ts'
import {
  away, back, deaf, isHeard, note, openNoted, opener, refusal, rejectsPassword, survives,
} from './redis-nodes.ts'

const sentinels = await startSentinels()
t.teardown(() => sentinels.remove())
const open = opener(sentinels.url)

await t.test('Contract', async (t) => { await busContract(t, open) })

await t.test('A wrong master name or a wrong password stops the start', async (t) => {
  t.equal(await refusal(sentinels.url.replace(`/${masterName}?`, '/other?')), 'the Sentinels know no master with this name')
  t.match(await refusal(sentinels.url.replace('sentinel_password=', 'sentinel_password=not-')), rejectsPassword)
  t.match(await refusal(sentinels.url.replace('://:', '://:not-')), rejectsPassword)
})

await t.test('Unreachable Sentinels do not stop the start', async (t) => {
  const bus = await opener(`redis+sentinel://127.0.0.1:${await freePort()}/main`)('AAAAAAAA', deaf)
  await bus.close()
  t.pass()
})

await t.test('If the first Sentinel disconnects, no cut occurs', async (t) => {
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

/**
 * Opens two buses whose first Sentinel accepts connections and never answers, and lets each scan the Sentinels.
 * @returns what they logged
 */
async function scanWithSilentSentinel (t: Test): Promise<readonly string[]> {
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
  await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after')])
  return [...a.lines, ...b.lines]
}

await t.test('If the first Sentinel does not answer, the start and messages are delayed, and no cut occurs', async (t) => {
  let lines: readonly string[] = []
  // On a busy machine, the servers that work can be silent for 2 s too, which is a cut.
  for (let tries = 0; tries < 3; tries++) {
    lines = await scanWithSilentSentinel(t)
    if (lines.length === 0) break
  }
  t.same(lines, [])
})

for (const type of ['normal', 'pubsub'] as const) {
  await t.test(`A cut of the ${type} connections to the master is reported once it is over`, async (t) => {
    const [a, b] = [await openNoted(t, sentinels.url), await openNoted(t, sentinels.url)]
    await isHeard(a.bus, b, 'before')
    await sentinels.killConnections(type)
    await Promise.all([a.isRestored(1), b.isRestored(1)])
    await Promise.all([isHeard(a.bus, b, 'after'), isHeard(b.bus, a, 'after too')])
    for (const ear of [a, b]) t.same(ear.lines, [away, back])
  })
}

await t.test('When the master crashes, a replica takes over and all nodes reach each other again', async (t) => {
  await survives(t, open, () => sentinels.master.stop())
  await t.test('A node that starts now finds the new master', async (t) => {
    const ear = await openEar(t, open)
    await isHeard(ear.bus, ear, 'to myself')
  })
})
