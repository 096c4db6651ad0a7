import { once } from 'node:events'
import { chown, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { startRedis } from '../cluster/redis-server.ts'
import { secret } from '../helper.ts'
import { freePort } from '../free-port.ts'
import { inLongRun } from '../long.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { hangingPostgres } from '../store/hanging-postgres.ts'
import { bundle, runToEnd } from './program.ts'

/*
 * Each of these settings stops the start of the real program with exit code 1 and one line. The line begins with the
 * name of the variable (or contains it, if the setting is an address), and repeats no part of a secret or of a URL's
 * credentials. The program ends by itself: a start that hangs is killed, and has no exit code.
 */
const folder = t.testdir({
  file: '',
  empty: ' \n',
  'secret.txt': secret,
  'not-a-store': { 'documents.mdb': 'something else' },
  blocks: {
    'syntax.mjs': 'export default {',
    'export.mjs': 'export const blocks = []',
    'throws.mjs': 'throw new Error("no\\nway")',
    'hangs.mjs': 'await new Promise(() => {})',
    'loops.mjs': 'while (true) {}',
    'exits.mjs': 'process.exit(0)',
    'getter.mjs': 'export default { get blocks () { throw new TypeError("no way") } }',
  },
})
const at = (...names: string[]): string => join(folder, ...names)
const program = await bundle(at('program'))

await mkdir(at('read-only'), { mode: 0o555 })
await mkdir(at('of-others'))
await writeFile(at('unreadable'), secret, { mode: 0 })
await symlink(at('nowhere'), at('dangling'))
await symlink(at('circle'), at('circle'))
// Only root can change the owner of a folder; other users get one of root's own.
const isRoot = process.getuid?.() === 0
if (isRoot) await chown(at('of-others'), 65534, 65534)

const postgres = await startPostgres()
t.teardown(() => postgres.stop())
const silent = createServer().listen(0, '127.0.0.1')
t.teardown(() => silent.close())
await once(silent, 'listening')
// listen() on a TCP port gives an object; only pipes give a string.
const taken = (silent.address() as AddressInfo).port
const closed = await freePort()
const hanging = await hangingPostgres()
t.teardown(() => hanging.close())
const redis = await startRedis(['--requirepass', 'open-sesame'])
t.teardown(() => redis.remove())
const hba = join(postgres.folder, 'data', 'pg_hba.conf')
await postgres.asAdmin(async (client) => {
  await client.query("CREATE ROLE alice LOGIN PASSWORD 'hunter-42'")
  await writeFile(hba, `host all alice 127.0.0.1/32 scram-sha-256\n${await readFile(hba, 'utf8')}`)
  await client.query('SELECT pg_reload_conf()')
})
const inPostgres = (login: string, database = 'postgres'): string => `postgres://${login}@127.0.0.1:${postgres.port}/${database}`

/** A case: settings, and the beginning or pattern of the line. */
type Case = [env: Record<string, string>, line: string | RegExp]
/** Several values with the same fault; the usual run tries one of them. */
const all = (name: string, line: string | RegExp, values: readonly string[]): Case[] =>
  values.slice(0, inLongRun(1, values.length)).map((value) => [{ [name]: value }, line])
const secretVariable = 'COLLABORATION_SERVER_SECRET'
const unsafe = (name: string): string => `${name} is unsafe in production: use at least 16 random characters`

const cases: Case[] = [
  // A database
  ...all('DATABASE_URL', 'DATABASE_URL must be a URL such as', [
    'postgres://alice:hunter@s3cr3t#w/rd@127.0.0.1:5432/db', 'postgres://alice:hunter/s3cr3t@127.0.0.1/db', 'postgres://alice:hunter%s3cr3t@127.0.0.1/db',
  ]),
  ...all('DATABASE_URL', 'DATABASE_URL cannot be used: nothing listens', [
    'postgres://alice:hunter-42', 'postgres://alice:hunter?s3cr3t', 'postgres://alice:hunter@s3cr3t',
  ].map((login) => `${login}@127.0.0.1:${closed}/db`)),
  [{ DATABASE_URL: 'postgres://alice:hunter-42@hunter.invalid/db' }, 'DATABASE_URL cannot be used: the host name cannot be resolved'],
  [{ DATABASE_URL: 'postgres://alice:hunter-42@/db?host=/hunter' }, 'DATABASE_URL cannot be used: the socket or a certificate file is missing'],
  [{ DATABASE_URL: `postgres://alice:hunter-42@127.0.0.1:${taken}/db` }, 'DATABASE_URL cannot be used: the host does not answer'],
  [{ DATABASE_URL: `postgres://alice:hunter-42@127.0.0.1:${hanging.port}/db` }, 'DATABASE_URL cannot be used: the server accepts a connection and does not answer'],
  [{ DATABASE_URL: inPostgres('alice:hunter-41') }, 'DATABASE_URL cannot be used: the server rejects the user or the password'],
  [{ DATABASE_URL: inPostgres('hunter:hunter-42') }, 'DATABASE_URL cannot be used: the server does not admit this user'],
  [{ DATABASE_URL: inPostgres('alice') }, 'DATABASE_URL cannot be used: PostgreSQL asks for a password'],
  [{ DATABASE_URL: inPostgres('alice:hunter-42', 'hunter') }, 'DATABASE_URL cannot be used: the server has no such database'],
  [{ DATABASE_URL: inPostgres('alice:hunter-42') }, 'DATABASE_URL cannot be used: the user lacks the right'],
  [{ DATABASE_URL: `${inPostgres('alice:hunter-42')}?sslmode=hunter` }, 'DATABASE_URL cannot be used: sslmode must be one of'],
  [{ DATABASE_URL: `${inPostgres('alice:hunter-42')}?sslmode=verify-full&sslrootcert=/hunter` }, 'DATABASE_URL cannot be used: the socket or a certificate file is missing'],

  // A folder
  ...all('DATA_DIR', 'DATA_DIR cannot be used: ', [
    '/proc/nope/deeper', '/sys/nope', at('file'), at('dangling'), at('circle'),
    at('read-only', 'below'), at('of-others'), at('a'.repeat(300)), at(...Array<string>(500).fill('abcdefghij')), at('not-a-store'),
  ]),

  // A module
  ...all('CONVERSION_BLOCKS_MODULE', 'CONVERSION_BLOCKS_MODULE cannot be used: ', [
    at('blocks', 'missing.mjs'), ...['syntax', 'export', 'throws', 'hangs', 'loops', 'exits', 'getter'].map((name) => at('blocks', `${name}.mjs`)),
  ]),

  // Redis, and Django
  ...all('REDIS_URL', 'REDIS_URL must be redis://host', ['redis://alice:hunter/s3cr3t@127.0.0.1', 'redis://alice:12?s3cr3t@127.0.0.1']),
  [{ REDIS_URL: 'redis://alice:hunter-42@127.0.0.1' }, 'REDIS_URL needs DATABASE_URL'],
  ...['redis://alice:hunter-42', 'redis+cluster://alice:hunter-42'].map((login): Case => [
    { DATABASE_URL: inPostgres('admin'), REDIS_URL: `${login}@127.0.0.1:${redis.port}` }, 'REDIS_URL cannot be used: the server rejects the user or the password',
  ]),
  [{ DATABASE_URL: inPostgres('admin'), REDIS_URL: redis.url }, 'REDIS_URL cannot be used: the server asks for a password'],
  [{ COLLABORATION_BACKEND_BASE_URL: 'http://alice:hunter-42@django' }, 'COLLABORATION_BACKEND_BASE_URL must be a URL'],

  // An address
  [{ PORT: String(taken) }, new RegExp(`^Cannot listen on HOST 127\\.0\\.0\\.1, PORT ${taken}: another program already listens there$`)],
  [{ PORT: '1' }, /PORT 1: this user is not allowed to listen there$/],
  [{ PORT: 'many' }, /^PORT must be a whole number, 0 to 65535$/],
  [{ PORT: '"4444"' }, /^PORT must be a whole number, 0 to 65535 \(it is in quotation marks, which count/],
  ...all('HOST', /^Cannot listen on HOST .*, PORT 0: [^:]+$/, ['8.8.8.8', 'hunter.invalid', 'fe80::1']),

  // Secrets
  [{ [secretVariable]: '' }, new RegExp(`^${secretVariable} is missing: set it \\(or ${secretVariable}_FILE\\) to the same value as in Django$`)],
  [{ [`${secretVariable}_FILE`]: at('secret.txt') }, `${secretVariable} and ${secretVariable}_FILE are both set: remove ${secretVariable} `],
  [{ DATABASE_URL: inPostgres('alice:hunter-42'), DATABASE_URL_FILE: at('secret.txt') }, 'DATABASE_URL and DATABASE_URL_FILE are both set: remove DATABASE_URL '],
  ...all('Y_PROVIDER_API_KEY_FILE', 'Y_PROVIDER_API_KEY_FILE ', [at('nowhere'), at('unreadable'), at('empty'), at('blocks'), '/dev/zero']),
  [{ REDIS_URL_FILE: at('secret.txt') }, 'REDIS_URL must be redis://host'],
  ...['production', 'prod'].map((NODE_ENV): Case => [{ NODE_ENV, [secretVariable]: 'my-secret' }, unsafe(secretVariable)]),
  [{ NODE_ENV: 'staging', Y_PROVIDER_API_KEY: 'hunter' }, unsafe('Y_PROVIDER_API_KEY')],
  [{ NODE_ENV: 'prod', COLLABORATION_SERVER_ORIGIN: '*' }, 'COLLABORATION_SERVER_ORIGIN must not be *'],

  // An origin that no page has
  ...all('COLLABORATION_SERVER_ORIGIN', 'COLLABORATION_SERVER_ORIGIN must be origins', ['https://docs.example.org/path', 'https://a.*.example.org']),
]

/** Simultaneous starts: there are perhaps only two cores. */
const atOnce = 3

t.test(`${cases.length} invalid settings`, async (t) => {
  const left = [...cases.entries()]
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, [env, line]] = next
      const { code, err } = await runToEnd(program, { [secretVariable]: secret, DATA_DIR: at(`data-${index}`), PORT: '0', ...env })
      const name = Object.entries(env).map(([name, value]) => `${name}=${value.slice(0, 60)}`).join(' ')
      t.equal(code, 1, name)
      t.match(err, /^[^\n]+\n$/, `${name}: one line`)
      if (typeof line === 'string') t.equal(err.slice(0, line.length), line, name)
      else t.match(err.trimEnd(), line, name)
      if (!/^HOST/.test(name)) t.notMatch(err, /alice|hunter|s3cr3t|a-secret/, `${name}: no part of a secret`)
    }
  }))
})
