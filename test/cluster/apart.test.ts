import t, { type Test } from 'tap'
import { ask, startNodes } from './nodes.ts'
import { allIsWell, people, readStored, typing } from './people.ts'
import { startRedis } from './redis-server.ts'
import { agree, Author, holdsAcknowledged } from '../clients/author.ts'
import { when } from '../clients/changes.ts'

/*
 * Two nodes that cannot reach each other, with a person typing on each, while both reach PostgreSQL: each reads there
 * what the other stores, no client has to reconnect, and no acknowledged change is missing.
 */
const cluster = await startNodes(2)
t.teardown(() => cluster.stop())
const { ports, redis, redisLinks, databaseUrl } = cluster

interface Parting {
  /** Separates the nodes */
  part (): void
  /** Reconnects them */
  join (): void
  /** The answer to a reset meanwhile */
  resetStatus: number
}

/** Types before, during and after. */
async function typeApart (t: Test, room: string, { part, join, resetStatus }: Parting): Promise<void> {
  const authors = people(ports, room)
  const elsewhere = new Author(`${room}-elsewhere`, ports.slice(1))
  await when(authors, () => authors.every(({ present }) => present.size === 2))
  const stop = typing(authors)
  await when(authors, () => authors.every(({ acknowledged }) => acknowledged.length > 20))
  part()
  await when(authors, () => authors.every(({ present }) => present.size === 1))
  t.pass('neither sees the other')
  const acknowledged = authors.map((author) => author.acknowledged.length)
  await when(authors, () => authors.every((author, i) => author.acknowledged.length > (acknowledged[i] ?? 0) + 20))
  t.pass('the changes of each are acknowledged')
  stop()
  await convergeThroughStore(t, room, authors)
  const reset = await ask(ports[0], `/collaboration/api/reset-connections/?room=${room}-elsewhere`, 'POST')
  t.equal(reset.status, resetStatus)
  t.equal(elsewhere.connections, 1)
  const stopAgain = typing(authors)
  await when(authors, () => authors.every(({ isSaved }) => !isSaved))
  join()
  await when(authors, () => authors.every(({ present }) => present.size === 2))
  t.pass('both see each other again')
  await when([elsewhere], () => elsewhere.connections === 2)
  t.pass('a reset reaches the other node later')
  elsewhere.leave()
  stopAgain()
  await allIsWell(t, room, authors, ports)
  t.ok(holdsAcknowledged(await readStored(databaseUrl, room), authors), 'PostgreSQL has everything that was acknowledged')
  t.same(authors.map(({ connections }) => connections), [1, 1], 'no client had to reconnect')
}

async function convergeThroughStore (t: Test, room: string, authors: readonly Author[]): Promise<void> {
  await when(authors, () => agree(authors))
  // A node that stores learns of missed updates from the number it gets; one that only reads has to look.
  for (const author of authors) {
    author.type('alone ')
    await when(authors, () => agree(authors))
  }
  t.ok(authors.every(({ present }) => present.size === 1), 'both have the same document during the cut')
  const stored = await readStored(databaseUrl, room)
  t.equal(stored.getText('text').toString(), authors[0]?.text, 'and PostgreSQL has it')
  t.ok(holdsAcknowledged(stored, authors), 'with everything that was acknowledged')
}

// This test is first: afterwards both nodes remember a crashed node for minutes, and read the store often.
await t.test('Each node has a Redis of its own, so neither receives the other\'s messages', async (t) => {
  const other = await startRedis()
  t.teardown(() => other.remove())
  await typeApart(t, 'two-buses', {
    part: () => { redisLinks[1]?.lead(other.port) },
    join: () => { redisLinks[1]?.lead(redis.port) },
    // The other node counts as crashed.
    resetStatus: 200,
  })
})

await t.test('Both nodes are cut off from Redis', async (t) => {
  await typeApart(t, 'cut-off', {
    part: () => { for (const link of redisLinks) link.cut() },
    join: () => { for (const link of redisLinks) link.restore() },
    resetStatus: 503,
  })
})
