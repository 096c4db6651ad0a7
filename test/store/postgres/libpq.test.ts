import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import t from 'tap'
import { connectionOptions } from '../../../src/store/postgres/connection.ts'
import { startPostgres } from '../postgres-server.ts'

/*
 * With the same URL, variables and files, psql and the store connect with TLS, connect without it, or are refused.
 * Where the store differs on purpose, a case says what psql does.
 */
const run = promisify(execFile)
const server = await startPostgres({ tls: true })
t.teardown(() => server.stop())
const home = join(server.folder, 'home')
const other = join(server.folder, 'other.crt')
const ours = join(server.folder, 'server.crt')
await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=other', '-keyout', '/dev/null', '-out', other])
/** The self-signed certificate of the role `badged`, which the server trusts as an authority. */
const [badge, badgeKey] = [join(server.folder, 'badge.crt'), join(server.folder, 'badge.key')]
await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=badged', '-keyout', badgeKey, '-out', badge])

await server.asAdmin(async (client) => {
  for (const role of ['anyone', 'locked', 'bare', 'badged']) await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p+w:1'`)
  await client.query("CREATE ROLE odd LOGIN PASSWORD 'p?w#1'")
  await client.query('CREATE DATABASE "with#"')
  const hba = ['all admin 127.0.0.1/32 trust', 'all anyone 127.0.0.1/32 trust', 'all locked,odd 127.0.0.1/32 scram-sha-256'].map((line) => `host ${line}\n`)
  await writeFile(join(server.folder, 'data', 'pg_hba.conf'), `${hba.join('')}hostssl all badged 127.0.0.1/32 cert\nhostnossl all bare 127.0.0.1/32 trust\nlocal all anyone trust\n`)
  await client.query(`ALTER SYSTEM SET ssl_ca_file = '${badge}'`)
  await client.query('SELECT pg_reload_conf()')
})

type Outcome = 'TLS' | 'plain' | RegExp
interface Case {
  role?: string
  host?: string
  database?: string
  query?: string
  env?: Record<string, string>
  /** Files below the home directory, and their permissions */
  files?: Record<string, { content: string, mode?: number }>
  /** The store's outcome; a pattern: refused with such a message */
  gives: Outcome
  /** The outcome of psql, if it differs */
  psqlGives?: 'TLS' | 'plain' | 'refused'
}

const selectSsl = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'

async function byPsql (url: string, env: Record<string, string>): Promise<string> {
  try {
    const { stdout } = await run('psql', ['-X', '-w', '-A', '-t', '-c', selectSsl, url], { env: { PATH: process.env['PATH'], HOME: home, ...env } })
    return stdout.trim() === 't' ? 'TLS' : 'plain'
  } catch {
    return 'refused'
  }
}

/** The store's outcome, or the message of its error. */
async function byStore (url: string, env: Record<string, string>): Promise<string> {
  const changed = { HOME: home, ...env }
  const before = Object.keys(changed).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, changed)
  try {
    const client = new pg.Client(await connectionOptions(url))
    await client.connect()
    const { rows: [row] } = await client.query<{ ssl: boolean }>(selectSsl)
    await client.end()
    return row?.ssl === true ? 'TLS' : 'plain'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

function check (name: string, { role = 'anyone', host = '127.0.0.1', database = 'postgres', query = '', env = {}, files = {}, gives, psqlGives }: Case): void {
  t.test(name, async (t) => {
    await rm(home, { recursive: true, force: true })
    await mkdir(join(home, '.postgresql'), { recursive: true })
    for (const [path, { content, mode = 0o600 }] of Object.entries(files)) {
      await writeFile(join(home, path), content)
      await chmod(join(home, path), mode)
    }
    const url = `postgres://${role}@${host === '' ? '' : `${host}:${server.port}`}/${database}${query}`
    const outcome = await byStore(url, env)
    if (gives instanceof RegExp) t.match(outcome, gives)
    else t.equal(outcome, gives)
    t.equal(await byPsql(url, env), psqlGives ?? (gives instanceof RegExp ? 'refused' : gives), 'psql')
  })
}

const root = { '.postgresql/root.crt': { content: await readFile(ours, 'utf8') } }
const otherRoot = { '.postgresql/root.crt': { content: await readFile(other, 'utf8') } }
const notThisHost = /^Hostname\/IP does not match certificate's altnames/

check('Without sslmode the store uses TLS if the server has it', { gives: 'TLS' })
check('disable connects without TLS', { query: '?sslmode=disable', gives: 'plain' })
check('prefer uses TLS', { query: '?sslmode=prefer', gives: 'TLS' })
check('allow is the same as prefer', { query: '?sslmode=allow', gives: 'TLS', psqlGives: 'plain' })
check('prefer continues without TLS where TLS is not admitted', { role: 'bare', gives: 'plain' })
check('require fails where TLS is not admitted', { role: 'bare', query: '?sslmode=require', gives: /^no pg_hba.conf entry .* SSL encryption$/ })
check('prefer does not verify the certificate', { query: `?sslrootcert=${other}`, gives: 'TLS', psqlGives: 'plain' })
check('require does not verify the certificate', { query: '?sslmode=require', gives: 'TLS' })
check('require verifies the certificate if there is a root certificate', { query: `?sslmode=require&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('require with a root certificate does not verify the host', { host: 'localhost', query: `?sslmode=require&sslrootcert=${ours}`, gives: 'TLS' })
check('ssl=true, as in JDBC, means require', { query: '?ssl=true', gives: 'TLS' })
check('verify-ca accepts the root certificate', { query: `?sslmode=verify-ca&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-ca does not verify the host', { host: 'localhost', query: `?sslmode=verify-ca&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-ca rejects another root certificate', { query: `?sslmode=verify-ca&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('verify-ca fails without a root certificate', { query: '?sslmode=verify-ca', gives: /^sslmode=verify-ca needs the certificate/ })
check('verify-full accepts the root certificate', { query: `?sslmode=verify-full&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-full verifies the host', { host: 'localhost', query: `?sslmode=verify-full&sslrootcert=${ours}`, gives: notThisHost })
check('verify-full without a root certificate uses the public authorities', { query: '?sslmode=verify-full', gives: /self-signed certificate/ })
check('verify-full fails if the certificate file is missing', { query: `?sslmode=verify-full&sslrootcert=${ours}.no`, gives: /ENOENT/ })
check('require fails if a named certificate file is missing', { query: `?sslmode=require&sslrootcert=${ours}.no`, gives: /ENOENT/, psqlGives: 'TLS' })
check('A ? in a parameter is not a separator', { query: '?application_name=a?b&sslmode=disable', gives: 'plain' })
check('Parameters after such a ? are read', { role: 'bare', query: '?application_name=a?&sslmode=require', gives: /^no pg_hba.conf entry .* SSL encryption$/ })
check('A # does not begin a fragment', { query: '?application_name=a#b&sslmode=disable', gives: 'plain' })
// pg cannot name such a database, but must not connect to one whose name ends before the #.
check('A # in the name of the database does not begin a fragment', { database: 'with#', query: '?sslmode=require', gives: /^database "with%23" does not exist$/, psqlGives: 'TLS' })
check('The last sslmode applies', { query: '?sslmode=disable&sslmode=require', gives: 'TLS' })
check('The last sslmode applies even if it is weaker', { query: '?sslmode=require&sslmode=disable', gives: 'plain' })
check('The last sslrootcert applies', { query: `?sslmode=verify-full&sslrootcert=${ours}&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('ssl=true counts as another sslmode', { query: '?sslmode=disable&ssl=true', gives: 'TLS' })
check('An empty sslmode is rejected', { query: '?sslmode=require&sslmode=', gives: /^sslmode must be one of disable, / })
check('An empty PGSSLMODE is rejected', { env: { PGSSLMODE: '' }, gives: /^sslmode must be one of disable, / })
check('An unknown sslmode is rejected', { query: '?sslmode=required', gives: /^sslmode must be one of disable, / })
check('A value of ssl other than true is rejected', { query: '?ssl=1', gives: /^ssl in the URL must be true/ })

check('PGSSLMODE applies', { env: { PGSSLMODE: 'disable' }, gives: 'plain' })
check('PGSSLMODE=require does not verify the certificate', { env: { PGSSLMODE: 'require' }, gives: 'TLS' })
check('PGSSLMODE=verify-full verifies the certificate', { env: { PGSSLMODE: 'verify-full' }, files: otherRoot, gives: /self-signed certificate/ })
check('The URL overrides PGSSLMODE', { query: '?sslmode=require', env: { PGSSLMODE: 'disable' }, gives: 'TLS' })
check('An unknown PGSSLMODE is rejected', { env: { PGSSLMODE: 'yes' }, gives: /^sslmode must be one of/ })
check('PGSSLROOTCERT names the root certificate', { env: { PGSSLMODE: 'verify-full', PGSSLROOTCERT: ours }, gives: 'TLS' })
check('PGSSLROOTCERT makes require verify', { query: '?sslmode=require', env: { PGSSLROOTCERT: other }, gives: /self-signed certificate/ })
check('The URL overrides PGSSLROOTCERT', { query: `?sslmode=verify-ca&sslrootcert=${ours}`, env: { PGSSLROOTCERT: other }, gives: 'TLS' })
check('~/.postgresql/root.crt is the root certificate', { query: '?sslmode=verify-full', files: root, gives: 'TLS' })
check('~/.postgresql/root.crt makes require verify', { query: '?sslmode=require', files: otherRoot, gives: /self-signed certificate/ })
check('PGSSLROOTCERT overrides ~/.postgresql/root.crt', { query: '?sslmode=verify-ca', env: { PGSSLROOTCERT: ours }, files: otherRoot, gives: 'TLS' })
// psql supports it from version 16 on.
check('sslrootcert=system uses the public authorities', { query: '?sslrootcert=system', gives: /self-signed certificate/, psqlGives: 'TLS' })
check('sslrootcert=system rejects any mode but verify-full', { query: '?sslmode=require&sslrootcert=system', gives: /^sslrootcert=system needs sslmode=verify-full/, psqlGives: 'TLS' })
check('sslmode has no effect on a Unix socket', { host: '', query: `?host=${server.socket}&port=${server.port}&sslmode=require`, gives: 'plain' })
check('sslmode has no effect on a Unix socket that PGHOST names', { host: '', query: '?sslmode=verify-full', env: { PGHOST: server.socket, PGPORT: String(server.port) }, files: root, gives: 'plain' })

const entry = (password: string): string => `# mine\nelsewhere:*:*:locked:no\n127.0.0.1:${server.port}:postgres:locked:${password}\n*:*:*:*:no\n`
const passwords = { content: entry('p+w\\:1') }
const noPassword = /^PostgreSQL asks for a password, and there is none/
check('A missing password is reported', { role: 'locked', gives: noPassword })
check('A ? and a # in a password belong to it', { role: 'odd:p?w#1', query: '?sslmode=require', gives: 'TLS' })
check('A + in the URL is a +', { role: 'locked', query: '?password=p+w:1', gives: 'TLS' })
check('~/.pgpass has the password', { role: 'locked', files: { '.pgpass': passwords }, gives: 'TLS' })
check('A wrong password in ~/.pgpass is refused', { role: 'locked', files: { '.pgpass': { content: entry('no') } }, gives: /^password authentication failed/ })
check('~/.pgpass is ignored if other users can read it', { role: 'locked', files: { '.pgpass': { ...passwords, mode: 0o640 } }, gives: noPassword })
check('PGPASSFILE names the file with the password', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords }, gives: 'TLS' })
check('PGPASSFILE is ignored if other users can read it', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords: { ...passwords, mode: 0o604 } }, gives: noPassword })
check('PGPASSFILE overrides ~/.pgpass', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords, '.pgpass': { content: entry('no') } }, gives: 'TLS' })
check('PGPASSWORD overrides ~/.pgpass', { role: 'locked', env: { PGPASSWORD: 'p+w:1' }, files: { '.pgpass': { content: entry('no') } }, gives: 'TLS' })
check('The URL overrides PGPASSWORD', { role: 'locked:p%2Bw%3A1', env: { PGPASSWORD: 'no' }, gives: 'TLS' })

const badgeFiles = { '.postgresql/postgresql.crt': { content: await readFile(badge, 'utf8') }, '.postgresql/postgresql.key': { content: await readFile(badgeKey, 'utf8') } }
const noBadge = /^connection requires a valid client certificate/
check('A server that requires a client certificate refuses a connection without one', { role: 'badged', gives: noBadge })
check('sslcert and sslkey name the client certificate', { role: 'badged', query: `?sslcert=${badge}&sslkey=${badgeKey}`, gives: 'TLS' })
check('sslcert and sslkey work with verify-full', { role: 'badged', query: `?sslmode=verify-full&sslrootcert=${ours}&sslcert=${badge}&sslkey=${badgeKey}`, gives: 'TLS' })
check('PGSSLCERT and PGSSLKEY name the client certificate', { role: 'badged', env: { PGSSLCERT: badge, PGSSLKEY: badgeKey }, gives: 'TLS' })
check('~/.postgresql/postgresql.crt and .key are the client certificate', { role: 'badged', files: badgeFiles, gives: 'TLS' })
check('The URL overrides PGSSLCERT', { role: 'badged', query: `?sslcert=${badge}&sslkey=${badgeKey}`, env: { PGSSLCERT: `${badge}.no`, PGSSLKEY: `${badge}.no` }, gives: 'TLS' })

const several = /^Several hosts of PostgreSQL in one URL are not supported: .*virtual address/
check('Several hosts, each of which psql tries, are rejected', { host: `127.0.0.1:${server.port},127.0.0.1`, gives: several, psqlGives: 'TLS' })
check('Several hosts in a parameter are rejected', { host: '', query: `?host=127.0.0.1,127.0.0.1&port=${server.port}`, gives: several, psqlGives: 'TLS' })
