import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openPostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { startPostgres } from '../postgres-server.ts'
import { quiet } from '../quiet-logger.ts'

/* A server that requires a password, and TLS from everybody but its owner, and the ways to configure both for libpq. */
const password = 'p@ss/w:rd "1"%'
const server = await startPostgres({ tls: true })
t.teardown(() => server.stop())
await server.makeSchema('locked')
const hba = join(server.folder, 'data', 'pg_hba.conf')
await writeFile(hba, `host all admin 127.0.0.1/32 trust\nhostssl all locked 127.0.0.1/32 scram-sha-256\n# ${await readFile(hba, 'utf8').then((text) => text.length)} bytes before\n`)
await server.asAdmin(async (client) => {
  await client.query(`ALTER ROLE locked PASSWORD ${client.escapeLiteral(password)}`)
  await client.query('SELECT pg_reload_conf()')
})

const at = `127.0.0.1:${server.port}/postgres`
const opens = async (url: string): Promise<void> => {
  const store = await openPostgresStore({ url, schema: 'locked', logger: quiet })
  await store.ping()
  await store.close()
}

await t.test('The password can be in the URL, percent-encoded, as user information or as a parameter', async (t) => {
  await t.resolves(opens(`postgres://locked:${encodeURIComponent(password)}@${at}`))
  await t.resolves(opens(`postgresql://locked:${encodeURIComponent(password)}@${at}?sslmode=require&application_name=mine`))
  await t.resolves(opens(`postgres://${at}?user=locked&password=${encodeURIComponent(password)}`))
})

await t.test('The password can be in PGPASSWORD, or in the file that PGPASSFILE names', async (t) => {
  t.teardown(() => {
    delete process.env['PGPASSWORD']
    delete process.env['PGPASSFILE']
  })
  process.env['PGPASSWORD'] = password
  await t.resolves(opens(`postgres://locked@${at}`))
  delete process.env['PGPASSWORD']
  const file = join(server.folder, 'passwords')
  await writeFile(file, `127.0.0.1:${server.port}:*:locked:${password.replaceAll(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 })
  process.env['PGPASSFILE'] = file
  await t.resolves(opens(`postgres://locked@${at}`))
})

await t.test('A wrong password, none, or no TLS is reported in one sentence', async (t) => {
  await t.rejects(opens(`postgres://locked:wrong@${at}`), { message: /^password authentication failed for user "locked"$/ })
  await t.rejects(opens(`postgres://locked@${at}`), { message: /password/ })
  await t.rejects(opens(`postgres://locked:${encodeURIComponent(password)}@${at}?sslmode=disable`), { message: /no encryption/ })
})
