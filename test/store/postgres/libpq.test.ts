import { execFile } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import t from 'tap'
import { connectionOptions } from '../../../src/store/postgres/connection.ts'
import { startPostgres } from '../postgres-server.ts'

/*
 * By the same URL, variables and files, psql and the store get in, with TLS or without, or do not. Where the store does
 * otherwise on purpose a case says what psql does.
 */
const run = promisify(execFile)
const server = await startPostgres({ tls: true })
t.teardown(() => server.stop())
const home = join(server.folder, 'home')
const other = join(server.folder, 'other.crt')
const ours = join(server.folder, 'server.crt')
await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=other', '-keyout', '/dev/null', '-out', other])
/** Of the role `badged`, signed by itself: the server takes it for an authority. */
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
  /** Written under the home directory, and who may read it */
  files?: Record<string, { content: string, mode?: number }>
  /** What comes of it; a pattern: refused, with such a message */
  gives: Outcome
  /** Where it is not the same */
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

/** What the store does, or the sentence by which it refuses. */
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

check('nothing said: TLS where the server has it', { gives: 'TLS' })
check('disable', { query: '?sslmode=disable', gives: 'plain' })
check('prefer', { query: '?sslmode=prefer', gives: 'TLS' })
check('allow is prefer', { query: '?sslmode=allow', gives: 'TLS', psqlGives: 'plain' })
check('prefer goes on without TLS where the server wants none', { role: 'bare', gives: 'plain' })
check('require does not', { role: 'bare', query: '?sslmode=require', gives: /^no pg_hba.conf entry .* SSL encryption$/ })
check('prefer does not ask whose certificate it is', { query: `?sslrootcert=${other}`, gives: 'TLS', psqlGives: 'plain' })
check('require does not ask whose certificate it is', { query: '?sslmode=require', gives: 'TLS' })
check('unless it is told by whom it must be', { query: `?sslmode=require&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('and then does not ask for which host', { host: 'localhost', query: `?sslmode=require&sslrootcert=${ours}`, gives: 'TLS' })
check('JDBC says ssl=true for require', { query: '?ssl=true', gives: 'TLS' })
check('verify-ca', { query: `?sslmode=verify-ca&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-ca does not ask for which host', { host: 'localhost', query: `?sslmode=verify-ca&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-ca with the certificate of somebody else', { query: `?sslmode=verify-ca&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('verify-ca without any', { query: '?sslmode=verify-ca', gives: /^sslmode=verify-ca needs the certificate/ })
check('verify-full', { query: `?sslmode=verify-full&sslrootcert=${ours}`, gives: 'TLS' })
check('verify-full asks for which host', { host: 'localhost', query: `?sslmode=verify-full&sslrootcert=${ours}`, gives: notThisHost })
check('verify-full without any asks the public authorities', { query: '?sslmode=verify-full', gives: /self-signed certificate/ })
check('a certificate file that is not there', { query: `?sslmode=verify-full&sslrootcert=${ours}.no`, gives: /ENOENT/ })
check('a certificate file that is not there, where one need not be', { query: `?sslmode=require&sslrootcert=${ours}.no`, gives: /ENOENT/, psqlGives: 'TLS' })
check('a ? in a parameter separates nothing', { query: '?application_name=a?b&sslmode=disable', gives: 'plain' })
check('nor is what follows it lost', { role: 'bare', query: '?application_name=a?&sslmode=require', gives: /^no pg_hba.conf entry .* SSL encryption$/ })
check('a # begins nothing', { query: '?application_name=a#b&sslmode=disable', gives: 'plain' })
// pg cannot name such a database; but it must not connect to another, without what follows.
check('nor does it in the address', { database: 'with#', query: '?sslmode=require', gives: /^database "with%23" does not exist$/, psqlGives: 'TLS' })
check('the last sslmode holds', { query: '?sslmode=disable&sslmode=require', gives: 'TLS' })
check('also where it is the weaker', { query: '?sslmode=require&sslmode=disable', gives: 'plain' })
check('the last sslrootcert holds', { query: `?sslmode=verify-full&sslrootcert=${ours}&sslrootcert=${other}`, gives: /self-signed certificate/ })
check('ssl=true is one more sslmode', { query: '?sslmode=disable&ssl=true', gives: 'TLS' })
check('an empty mode is none', { query: '?sslmode=require&sslmode=', gives: /^sslmode must be one of disable, / })
check('also in PGSSLMODE', { env: { PGSSLMODE: '' }, gives: /^sslmode must be one of disable, / })
check('what is no mode', { query: '?sslmode=required', gives: /^sslmode must be one of disable, / })
check('what psql does not know of either', { query: '?ssl=1', gives: /^ssl in the URL must be true/ })

check('PGSSLMODE', { env: { PGSSLMODE: 'disable' }, gives: 'plain' })
check('PGSSLMODE=require does not ask whose certificate it is', { env: { PGSSLMODE: 'require' }, gives: 'TLS' })
check('PGSSLMODE=verify-full does', { env: { PGSSLMODE: 'verify-full' }, files: otherRoot, gives: /self-signed certificate/ })
check('the URL comes before PGSSLMODE', { query: '?sslmode=require', env: { PGSSLMODE: 'disable' }, gives: 'TLS' })
check('PGSSLMODE that is none', { env: { PGSSLMODE: 'yes' }, gives: /^sslmode must be one of/ })
check('PGSSLROOTCERT', { env: { PGSSLMODE: 'verify-full', PGSSLROOTCERT: ours }, gives: 'TLS' })
check('PGSSLROOTCERT makes require verify', { query: '?sslmode=require', env: { PGSSLROOTCERT: other }, gives: /self-signed certificate/ })
check('the URL comes before PGSSLROOTCERT', { query: `?sslmode=verify-ca&sslrootcert=${ours}`, env: { PGSSLROOTCERT: other }, gives: 'TLS' })
check('~/.postgresql/root.crt', { query: '?sslmode=verify-full', files: root, gives: 'TLS' })
check('~/.postgresql/root.crt makes require verify', { query: '?sslmode=require', files: otherRoot, gives: /self-signed certificate/ })
check('PGSSLROOTCERT comes before ~/.postgresql/root.crt', { query: '?sslmode=verify-ca', env: { PGSSLROOTCERT: ours }, files: otherRoot, gives: 'TLS' })
// psql knows it from version 16 on.
check('sslrootcert=system verifies by the public authorities', { query: '?sslrootcert=system', gives: /self-signed certificate/, psqlGives: 'TLS' })
check('and nothing less', { query: '?sslmode=require&sslrootcert=system', gives: /^sslrootcert=system needs sslmode=verify-full/, psqlGives: 'TLS' })
check('no mode matters to a Unix socket', { host: '', query: `?host=${server.socket}&port=${server.port}&sslmode=require`, gives: 'plain' })
check('nor to one that PGHOST names', { host: '', query: '?sslmode=verify-full', env: { PGHOST: server.socket, PGPORT: String(server.port) }, files: root, gives: 'plain' })

const entry = (password: string): string => `# mine\nelsewhere:*:*:locked:no\n127.0.0.1:${server.port}:postgres:locked:${password}\n*:*:*:*:no\n`
const passwords = { content: entry('p+w\\:1') }
const noPassword = /^PostgreSQL asks for a password, and there is none/
check('no password', { role: 'locked', gives: noPassword })
check('a ? and a # in a password are its own', { role: 'odd:p?w#1', query: '?sslmode=require', gives: 'TLS' })
check('a + in the URL is a +', { role: 'locked', query: '?password=p+w:1', gives: 'TLS' })
check('~/.pgpass', { role: 'locked', files: { '.pgpass': passwords }, gives: 'TLS' })
check('~/.pgpass with a wrong password', { role: 'locked', files: { '.pgpass': { content: entry('no') } }, gives: /^password authentication failed/ })
check('~/.pgpass that others may read is not read', { role: 'locked', files: { '.pgpass': { ...passwords, mode: 0o640 } }, gives: noPassword })
check('PGPASSFILE', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords }, gives: 'TLS' })
check('PGPASSFILE that others may read is not read', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords: { ...passwords, mode: 0o604 } }, gives: noPassword })
check('PGPASSFILE comes before ~/.pgpass', { role: 'locked', env: { PGPASSFILE: join(home, 'passwords') }, files: { passwords, '.pgpass': { content: entry('no') } }, gives: 'TLS' })
check('PGPASSWORD comes before both', { role: 'locked', env: { PGPASSWORD: 'p+w:1' }, files: { '.pgpass': { content: entry('no') } }, gives: 'TLS' })
check('the URL comes before PGPASSWORD', { role: 'locked:p%2Bw%3A1', env: { PGPASSWORD: 'no' }, gives: 'TLS' })

const badgeFiles = { '.postgresql/postgresql.crt': { content: await readFile(badge, 'utf8') }, '.postgresql/postgresql.key': { content: await readFile(badgeKey, 'utf8') } }
const noBadge = /^connection requires a valid client certificate/
check('no certificate where one is asked for', { role: 'badged', gives: noBadge })
check('sslcert and sslkey', { role: 'badged', query: `?sslcert=${badge}&sslkey=${badgeKey}`, gives: 'TLS' })
check('sslcert and sslkey with verify-full', { role: 'badged', query: `?sslmode=verify-full&sslrootcert=${ours}&sslcert=${badge}&sslkey=${badgeKey}`, gives: 'TLS' })
check('PGSSLCERT and PGSSLKEY', { role: 'badged', env: { PGSSLCERT: badge, PGSSLKEY: badgeKey }, gives: 'TLS' })
check('~/.postgresql/postgresql.crt and .key', { role: 'badged', files: badgeFiles, gives: 'TLS' })
check('the URL comes before PGSSLCERT', { role: 'badged', query: `?sslcert=${badge}&sslkey=${badgeKey}`, env: { PGSSLCERT: `${badge}.no`, PGSSLKEY: `${badge}.no` }, gives: 'TLS' })

const several = /^Several hosts of PostgreSQL in one URL are not supported: .*virtual address/
check('several hosts, of which psql tries each', { host: `127.0.0.1:${server.port},127.0.0.1`, gives: several, psqlGives: 'TLS' })
check('several hosts as a parameter', { host: '', query: `?host=127.0.0.1,127.0.0.1&port=${server.port}`, gives: several, psqlGives: 'TLS' })
