import t from 'tap'
import { answers, ask, startNodes } from './nodes.ts'
import { inLongRun } from '../long.ts'
import { allIsWell, people, typing } from './people.ts'
import { agree, Author } from '../clients/author.ts'
import { when } from '../clients/changes.ts'

/*
 * Three nodes as processes, people who type on all of them, and every kind of fault between them. After each fault all
 * have the same document, and a new client of any node gets everything that was ever acknowledged.
 */
const redisDownMs = inLongRun(5_000, 30_000)

const cluster = await startNodes(3)
t.teardown(() => cluster.stop())
const { nodes, ports, redis, redisLinks, postgres } = cluster

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms) })

await t.test('People on three nodes share one room', async (t) => {
  const authors = people(ports, 'together')
  await when(authors, () => authors.every(({ present }) => present.size === 3))
  t.pass('all see each other')
  const stop = typing(authors)
  await pause(500)
  stop()
  await when(authors, () => agree(authors))
  const session = `session-${authors[0]?.doc.clientID}`
  for (const port of ports) {
    t.same(await ask(port, `/collaboration/api/get-connections/?room=together&sessionKey=${session}`), { status: 200, body: { count: 3, exists: true } })
  }
  t.same(await ask(ports[1], '/collaboration/api/reset-connections/?room=together', 'POST'), { status: 200, body: { message: 'Connections reset' } })
  await when(authors, () => authors.every(({ connections }) => connections === 2))
  t.pass('all were closed and have reconnected')
  const [gone, ...rest] = authors
  gone?.leave()
  await when(rest, () => rest.every(({ present }) => present.size === 2))
  t.pass('a client that leaves disappears for all')
  await allIsWell(t, 'together', rest, ports)
})

await t.test('Redis is restarted', async (t) => {
  const authors = people(ports, 'redis-restart')
  const stop = typing(authors)
  await when(authors, () => authors.every(({ acknowledged }) => acknowledged.length > 20))
  await redis.stop()
  await redis.restart()
  await pause(500)
  stop()
  await allIsWell(t, 'redis-restart', authors, ports)
})

await t.test('Redis is down for a while, and people still see each other\'s changes through the store', async (t) => {
  const authors = people(ports, 'redis-away')
  await when(authors, () => authors.every(({ present }) => present.size === 3))
  await redis.stop()
  const stop = typing(authors)
  await pause(redisDownMs)
  stop()
  await when(authors, () => agree(authors))
  t.pass('all have the same document while Redis is down')
  const answer = await ask(ports[0], '/collaboration/api/reset-connections/?room=nobody', 'POST')
  t.equal(answer.status, 503)
  t.match(answer.body, { error: /^Not every node of the service has answered/ })
  await redis.restart()
  authors[0]?.type('back')
  await allIsWell(t, 'redis-away', authors, ports)
})

await t.test('PostgreSQL is restarted', async (t) => {
  const authors = people(ports, 'postgres-restart')
  const stop = typing(authors)
  await when(authors, () => authors.every(({ acknowledged }) => acknowledged.length > 20))
  await postgres.restart()
  await pause(500)
  stop()
  await allIsWell(t, 'postgres-restart', authors, ports)
  for (const port of ports) await answers(port, '/health/ready', ({ status }) => status === 200)
})

await t.test('A node and the other nodes receive nothing from each other', async (t) => {
  const authors = people(ports, 'partition')
  await when(authors, () => authors.every(({ present }) => present.size === 3))
  redisLinks[2]?.cut()
  const stop = typing(authors)
  await when(authors.slice(0, 2), () => authors.slice(0, 2).every(({ present }) => present.size === 2))
  t.pass('clients beyond the cut are not present')
  stop()
  await when(authors, () => agree(authors))
  t.pass('all have the same document in spite of the cut')
  redisLinks[2]?.restore()
  await when(authors, () => authors.every(({ present }) => present.size === 3))
  authors[2]?.type('back')
  await allIsWell(t, 'partition', authors, ports)
})

await t.test('A node hangs for a while', async (t) => {
  const authors = people(ports, 'frozen')
  const stop = typing(authors)
  await when(authors, () => {
    return authors.every(({ acknowledged, present }) => acknowledged.length > 20 && present.size === 3)
  })
  const frozen = nodes[2]?.pid ?? 0
  process.kill(frozen, 'SIGSTOP')
  const answer = await ask(ports[0], '/collaboration/api/reset-connections/?room=elsewhere', 'POST')
  t.equal(answer.status, 503, 'a reset names the node that does not answer')
  t.match(answer.body, { error: new RegExp(`:${frozen}\\)$`) })
  await when(authors.slice(0, 2), () => authors.slice(0, 2).every(({ present }) => present.size === 2))
  t.pass('its clients are not present')
  t.equal((await ask(ports[0], '/collaboration/api/reset-connections/?room=frozen', 'POST')).status, 200, 'it no longer counts')
  process.kill(frozen, 'SIGCONT')
  await when(authors, () => authors[2]?.connections === 2)
  t.pass('it has executed the reset that it missed')
  stop()
  await allIsWell(t, 'frozen', authors, ports)
})

await t.test('A node is killed under load', async (t) => {
  const authors = people(ports, 'killed')
  const watcher = new Author('killed', ports.slice(0, 1))
  const all = [...authors, watcher]
  const stop = typing(authors)
  await when(all, () => all.every(({ present }) => present.size === 4))
  const ghost = new Author('killed', ports.slice(2))
  await when(all, () => watcher.present.has(ghost.doc.clientID))
  const before = nodes[0]?.output().length ?? 0
  await nodes[2]?.stop('SIGKILL')
  await nodes[0]?.line(/Another node is silent and counts as crashed/, { from: before, timeoutMs: 60_000 })
  await when([watcher], () => !watcher.present.has(ghost.doc.clientID))
  t.pass('another node notices the crash, and its clients disappear')
  ghost.leave()
  stop()
  await answers(ports[0], `/collaboration/api/get-connections/?room=killed&sessionKey=session-${authors[2]?.doc.clientID}`, ({ body }) => JSON.stringify(body) === '{"count":4,"exists":true}')
  t.pass('its clients are on another node, and it is not counted')
  watcher.type('watched')
  await allIsWell(t, 'killed', all, ports.slice(0, 2))
})
