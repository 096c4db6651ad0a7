import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Known } from '../../src/update/known.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { connectBare } from '../clients/bare-client.ts'
import { freePort } from '../free-port.ts'
import { asDjango, listen, secret } from '../helper.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { folder, names, read, start, typed, write } from './filled-store.ts'
import { cli } from './run-cli.ts'

const marker = 'Document "a/ü" deleted\n'

await t.test('A running service deletes the documents, and closes their connections', async (t) => {
  const path = await folder(t)
  const { app, port, wsUrl } = await listen(t, { DATA_DIR: path })
  const env = { DATA_DIR: path, HOST: '0.0.0.0', PORT: String(port), COLLABORATION_SERVER_SECRET: secret }
  for (const document of ['a/ü', 'b', 'kept']) await app.store.append([{ document, update: typed('text') }])
  const client = connectBare(t, `${wsUrl}/collaboration/ws/${encodeURIComponent('a/ü')}`, asDjango)
  await client.until(({ heard }) => heard.length > 0)
  t.same(await cli(['delete', 'a/ü', 'b'], env), { code: 0, out: `${marker}Document "b" deleted\n`, err: '' })
  await client.until(({ closed }) => closed !== undefined)
  t.equal(client.closed?.code, 4404)
  t.same(await cli(['delete', 'b', 'unknown'], env), {
    code: 1,
    out: '',
    err: 'Document "b" not deleted: The document was deleted\nDocument "unknown" not deleted: Document not found\n',
  })
  t.match(await cli(['delete', 'kept'], { ...env, COLLABORATION_SERVER_SECRET: 'wrong' }), { code: 1, out: '', err: /Invalid API Key/ })
  t.match(await cli(['delete', 'kept'], { ...env, PORT: String(await freePort()) }), { code: 1, out: '', err: /A service uses the store in/ })
  t.match(await cli(['delete', 'kept', '--store', path], { ...env, DATA_DIR: 'another' }), { code: 1, err: /A service uses the store in/ })
  t.ok(await app.store.load('kept'))
})

await t.test('Something else at the address of the service gets no secret', async (t) => {
  const path = await folder(t)
  await listen(t, { DATA_DIR: path })
  const heard: Array<string | undefined> = []
  const other = createServer((request, response) => {
    heard.push(request.headers.authorization)
    response.end('hello')
  })
  t.teardown(() => other.close())
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo // a TCP server's address is an object
  const env = { DATA_DIR: path, PORT: String(port), COLLABORATION_SERVER_SECRET: secret }
  t.match(await cli(['delete', 'a'], env), { code: 1, out: '', err: /is not y-provider/ })
  t.same(heard, [undefined])
})

await t.test('Without a service the command deletes from the embedded store, and leaves tombstones', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  for (const name of names) await write(store, name, ['one ', 'two ', 'three ', 'four '])
  await store.close()
  const [gone = '', other = '', kept = ''] = names
  const env = { DATA_DIR: path, PORT: String(await freePort()) }
  t.match(await cli(['delete', gone], env), { code: 0, out: `Document "${gone}" deleted\n`, err: '' })
  t.match(await cli(['delete', gone], env), { code: 1, err: /The document was deleted/ })
  t.match(await cli(['delete', other, '--store', path], { DELETED_FOR: '0' }), { code: 0 })
  t.match(await cli(['delete', other], env), { code: 1, err: /Document not found/ })
  const after = await start(t, path)
  t.equal(await read(after, gone), undefined)
  t.equal(await read(after, kept), 'one two three four ')
  const { deleted } = await after.tombstone(gone) ?? {}
  t.equal(deleted && Known.decode(deleted).clients, 1)
  t.match(await cli(['delete', 'a', '--store', await folder(t)]), { code: 1, err: /There is no store in/ })
  t.match(await cli(['delete']), { code: 2, err: /delete needs the name of a document/ })
})

await t.test('It deletes from PostgreSQL if no service answers', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const url = await server.makeSchema('y_provider')
  const store = await openPostgresStore({ url, logger: quiet })
  t.teardown(() => store.close())
  await write(store, 'a', ['one ', 'two ', 'three ', 'four '])
  const env = { DATABASE_URL: url, PORT: String(await freePort()) }
  const done = await cli(['delete', 'a'], env)
  t.match(done, { code: 0, out: 'Document "a" deleted\n', err: /within a minute/ })
  t.equal(await store.load('a'), undefined)
  t.ok(await store.tombstone('a'))
})
