import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeCertificate } from '../certificate.ts'
import { startService } from '../crash/service.ts'
import { freePort } from '../free-port.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { people } from './people.ts'
import { startRedisCluster, startSentinels } from './redis-groups.ts'
import { startRedis } from './redis-server.ts'
import { when } from '../clients/changes.ts'

// The three kinds of Redis are tested at the same time: most of it is waiting.
t.jobs = 3

const folder = await mkdtemp(join(tmpdir(), 'y-redis-tls-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const [tls, foreign] = [await makeCertificate(folder, 'redis'), await makeCertificate(folder, 'foreign')]
const postgres = await startPostgres()
t.teardown(() => postgres.stop())
const databaseUrl = await postgres.makeSchema('y_provider')

/** Nodes relay if they trust the certificate, and do not start if they trust none or a different one. */
async function relaysByTls (t: Test, room: string, url: string): Promise<void> {
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: url, LOG_LEVEL: 'info' }
  await t.test('Two nodes relay', async (t) => {
    const nodes = await Promise.all([0, 1].map(() => startService('', { ...env, NODE_EXTRA_CA_CERTS: tls.certificate })))
    t.teardown(() => Promise.all(nodes.map((node) => node.stop())))
    const authors = people(nodes.map(({ port }) => port), room)
    t.teardown(() => { for (const author of authors) author.leave() })
    // Only Redis reports which nodes are connected.
    await when(authors, () => authors.every(({ present }) => present.size === 2))
    for (const [i, author] of authors.entries()) author.type(`${i} `)
    await when(authors, () => authors.every(({ text }) => text.includes('0 ') && text.includes('1 ')))
    t.ok(authors.every(({ connections }) => connections === 1))
  })
  await t.test('A certificate from an unknown authority is rejected', async (t) => {
    const refusal = /REDIS_URL cannot be used: self-signed certificate/
    // In parallel: a node retries for some seconds before it gives up.
    await Promise.all([{}, { NODE_EXTRA_CA_CERTS: foreign.certificate }].map(async (trusted) => {
      await t.rejects(startService('', { ...env, ...trusted }), { message: refusal })
    }))
  })
}

t.test('Nodes relay through one server by TLS', { buffered: true }, async (t) => {
  const port = await freePort()
  const redis = await startRedis(['--tls-port', String(port), '--tls-cert-file', tls.certificate, '--tls-key-file', tls.key, '--tls-auth-clients', 'no', '--requirepass', 'p@ss/word'])
  t.teardown(() => redis.remove())
  await relaysByTls(t, 'server', `rediss://:p%40ss%2Fword@127.0.0.1:${port}`)
})

t.test('Nodes relay through Sentinel by TLS', { buffered: true }, async (t) => {
  const sentinels = await startSentinels({ tls })
  t.teardown(() => sentinels.remove())
  await relaysByTls(t, 'sentinel', sentinels.url)
})

t.test('Nodes relay through Redis Cluster by TLS', { buffered: true }, async (t) => {
  const cluster = await startRedisCluster({ tls })
  t.teardown(() => cluster.remove())
  await relaysByTls(t, 'cluster', cluster.url)
})
