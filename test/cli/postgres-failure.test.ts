import { join } from 'node:path'
import t from 'tap'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { hangingPostgres } from '../store/hanging-postgres.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { fill, folder, start } from './filled-store.ts'
import { cli, cliProcess } from './run-cli.ts'

const hanging = await hangingPostgres()
t.teardown(() => { hanging.close() })
const unknownHost = 'postgres://alice:hunter-42@hunter.invalid/db'
const nowhere = join(t.testdir(), 'store')

const cases: [args: string[], reason: string][] = [
  [['list', '--store', unknownHost], 'the host name cannot be resolved'],
  [['repair', '--store', `postgres://alice:hunter-42@127.0.0.1:${hanging.port}/db`], 'the server accepts a connection and does not answer'],
  [['migrate', '--from', unknownHost, '--to', nowhere], 'the host name cannot be resolved'],
  [['migrate', '--from', 'postgres://alice:hunter/s3cr3t@127.0.0.1/db', '--to', nowhere], 'must be a URL such as'],
]

for (const [args, reason] of cases) {
  t.test(`${args[0]}: an unusable PostgreSQL store is reported in one line, without any part of its URL: ${reason}`, async (t) => {
    const { code, out, err } = await (args[0] === 'repair' ? cliProcess : cli)(args)
    t.equal(code, 1)
    t.equal(out, '')
    t.match(err, args[0] === 'migrate' ? /^from PostgreSQL to [^\n]+\n[^\n]+\n$/ : /^[^\n]+\n$/)
    t.ok(err.includes(reason))
    t.notMatch(err, /alice|hunter|s3cr3t/)
  })
}

t.test('If PostgreSQL fails midway, each document is reported in one line, without the server\'s message', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const url = await server.makeSchema('y_provider')
  await (await openPostgresStore({ url, logger: quiet })).close()
  const path = await folder(t)
  await fill(await start(t, path))
  for (const [statement, reason] of [
    ["RAISE EXCEPTION 'hunter'", 'code P0001'],
    ["RAISE EXCEPTION 'hunter' USING ERRCODE = 'disk_full'", 'the disk of the server is full'],
    ['PERFORM pg_terminate_backend(pg_backend_pid())', 'the server ended the connection: it is stopping, or an administrator ended it'],
  ] as const) {
    await server.asAdmin(async (client) => {
      await client.query(`CREATE OR REPLACE FUNCTION y_provider.fails () RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN ${statement}; RETURN NEW; END $$`)
      await client.query('CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON y_provider.updates FOR EACH ROW EXECUTE FUNCTION y_provider.fails()')
    })
    const { code, out, err } = await cli(['migrate', '--from', path, '--to', url])
    t.equal(code, 1)
    t.match(out, /0 documents copied, 0 completed, 0 unchanged, 6 could not be copied/)
    t.equal(err.match(/^".+": (.*)$/gm)?.filter((line) => line.endsWith(`: PostgreSQL failed: ${reason}`)).length, 6, reason)
    t.notMatch(err, /hunter/)
  }
})
