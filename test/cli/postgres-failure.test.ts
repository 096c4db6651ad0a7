import { join } from 'node:path'
import t from 'tap'
import { hangingPostgres } from '../store/hanging-postgres.ts'
import { cli } from './run-cli.ts'

t.setTimeout(120_000)

const hanging = await hangingPostgres()
t.teardown(() => { hanging.close() })
const unknownHost = 'postgres://alice:hunter-42@hunter.invalid/db'
const folder = join(t.testdir(), 'store')

const cases: [args: string[], reason: string][] = [
  [['list', '--store', unknownHost], 'the host name cannot be resolved'],
  [['repair', '--store', `postgres://alice:hunter-42@127.0.0.1:${hanging.port}/db`], 'the server accepts a connection and does not answer'],
  [['migrate', '--from', unknownHost, '--to', folder], 'the host name cannot be resolved'],
  [['migrate', '--from', 'postgres://alice:hunter/s3cr3t@127.0.0.1/db', '--to', folder], 'must be a URL such as'],
]

for (const [args, reason] of cases) {
  t.test(`${args[0]}: a store in PostgreSQL that cannot be used is one line, without any part of its URL: ${reason}`, async (t) => {
    const { code, out, err } = await cli(args)
    t.equal(code, 1)
    t.equal(out, '')
    t.match(err, args[0] === 'migrate' ? /^from PostgreSQL to [^\n]+\n[^\n]+\n$/ : /^[^\n]+\n$/)
    t.ok(err.includes(reason))
    t.notMatch(err, /alice|hunter|s3cr3t/)
  })
}
