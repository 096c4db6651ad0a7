import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startService } from '../crash/service.ts'
import { freePort } from '../processes.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { startRedis } from './redis-server.ts'

const run = promisify(execFile)

t.setTimeout(120_000)

const folder = await mkdtemp(join(tmpdir(), 'y-redis-tls-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const [key, certificate] = [join(folder, 'redis.key'), join(folder, 'redis.crt')]
await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate])
const tlsPort = await freePort()
const redis = await startRedis(['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no', '--requirepass', 'p@ss/word'])
t.teardown(() => redis.remove())
const postgres = await startPostgres()
t.teardown(() => postgres.stop())
const databaseUrl = await postgres.makeSchema('y_provider')
const url = `rediss://:p%40ss%2Fword@127.0.0.1:${tlsPort}`

await t.test('nodes meet over TLS, with a password, where they trust the certificate', async (t) => {
  const env = { DATABASE_URL: databaseUrl, REDIS_URL: url, NODE_EXTRA_CA_CERTS: certificate, LOG_LEVEL: 'info' }
  const nodes = await Promise.all([startService('', env), startService('', env)])
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())))
  for (const node of nodes) t.ok(await node.line(/Another node is here/))
})

await t.test('who does not trust it does not start', async (t) => {
  await t.rejects(startService('', { DATABASE_URL: databaseUrl, REDIS_URL: url }), { message: /REDIS_URL cannot be used: .*self-signed certificate/ })
})
