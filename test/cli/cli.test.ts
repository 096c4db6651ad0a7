import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import * as Y from 'yjs'
import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { damageLmdb } from '../store/damage-lmdb.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { cli, cliProcess } from './run-cli.ts'
import { fill, folder, holdsAll, read, start, typed } from './filled-store.ts'

await t.test('check finds damage while a service runs', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await fill(store)
  t.match(await cliProcess(['check'], { DATA_DIR: path }), { code: 0, out: '6 documents,' })
  await damageLmdb(path, 'plain', 'piece')
  await store.append([{ document: 'no update', update: Buffer.from('certainly not') }])
  const found = await cli(['check', '--store', path])
  t.equal(found.code, 1)
  t.match(found.out, /"plain" is damaged in the store: piece 0 of its snapshot fails its checksum/)
  t.match(found.out, /"no update": The update is malformed/)
  t.match(found.out, /7 documents, \d+ bytes, 2 with a fault/)
  // A backup keeps damage as it is: some of it can perhaps be recovered.
  const saved = await cli(['backup', join(await folder(t), 'copy'), '--store', path])
  t.match(saved, { code: 1, out: /"plain" is damaged in the store: piece 0 of its snapshot fails its checksum[^]*7 documents, \d+ bytes, 2 with a fault/ })
})

await t.test('backup copies a live store, and a service can use the copy', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await fill(store)
  const enough = new AbortController()
  const writer = (async () => {
    while (!enough.signal.aborted) await store.append([{ document: 'busy', update: Y.encodeStateAsUpdate(new Y.Doc()) }])
  })()
  const target = join(await folder(t), 'copy')
  const unfinished = join(target, 'unfinished-copy-1')
  await mkdir(unfinished, { recursive: true })
  const other = await openLmdbStore({ path: unfinished, sync: 'process', logger: quiet })
  await utimes(unfinished, 0, 0)
  t.match(await cli(['backup', target, '--store', path]), { code: 1, err: /Another copy is being written to .*unfinished-copy-1/ })
  await other.close()
  // The state that a killed copy leaves, and in which a new one begins.
  await writeFile(join(unfinished, 'documents.mdb'), 'half')
  await utimes(unfinished, 0, 0)
  await mkdir(join(target, 'unfinished-copy-2'))
  const done = await cliProcess(['backup', target, '--store', path])
  t.strictSame(await readdir(target).then((names) => names.filter((name) => !name.includes('lock'))), ['documents.mdb', 'unfinished-copy-2'])
  enough.abort()
  await writer
  t.match(done, { code: 0, out: /7 documents, \d+ bytes, 0 with a fault/ })
  const copy = await start(t, target)
  await holdsAll(t, copy)
  t.ok((await copy.load('busy'))?.log.length)
  await copy.append([{ document: 'plain', update: Y.encodeStateAsUpdate(new Y.Doc()) }])
  t.match(await cli(['backup', target, '--store', path]), { code: 1, err: /There is a store in .* already/ })
})

await t.test('Of two simultaneous backups one succeeds, and a backup never replaces a store', async (t) => {
  const store = await start(t, await folder(t))
  await fill(store)
  const target = await folder(t)
  const copies = await Promise.allSettled([store.copyTo(target), store.copyTo(target)])
  t.strictSame(copies.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(copies.find(({ status }) => status === 'rejected'), { reason: { name: 'StoreInUse', message: /^There is a store in .* already|^Another copy is being written/ } })
  t.strictSame(await readdir(target), ['documents.mdb'])
  const before = await readFile(join(target, 'documents.mdb'))
  await store.append([{ document: 'later', update: typed('later') }])
  await t.rejects(store.copyTo(target), { name: 'StoreInUse', message: /^There is a store in .* already/ })
  t.strictSame(await readdir(target), ['documents.mdb'])
  t.ok(before.equals(await readFile(join(target, 'documents.mdb'))), 'it is unchanged')
  await holdsAll(t, await start(t, target))
})

await t.test('migrate copies the embedded store to PostgreSQL, copies later changes, and copies back', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const url = await server.makeSchema('y_provider')
  const path = await folder(t)
  const store = await start(t, path)
  await fill(store)
  const first = await cli(['migrate', '--from', path, '--to', url])
  t.match(first, { code: 0, out: /6 documents copied, 0 completed, 0 unchanged/ })
  t.notMatch(first.err, /y_provider@/, 'the URL is not printed')
  const target = await openPostgresStore({ url, logger: quiet })
  t.teardown(() => target.close())
  await holdsAll(t, target)
  t.equal((await target.load('plain'))?.snapshot?.pieces, (await store.load('plain'))?.snapshot?.pieces)

  // The old service still runs, and its users keep typing.
  await store.append([{ document: 'plain', update: typed('late') }, { document: 'new', update: typed('new') }])
  await target.append([{ document: '文档', update: typed('there') }])
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /1 document copied, 1 completed, 5 unchanged/ })
  t.match(await read(target, 'plain'), /late/)
  t.match(await read(target, '文档'), /there/)
  t.equal(await read(target, 'new'), 'new')
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /0 documents copied, 0 completed, 7 unchanged/ })
  t.match(await cli(['check'], { DATABASE_URL: url }), { code: 0, out: '7 documents' })

  const back = await folder(t)
  t.match(await cli(['migrate', '--from', url, '--to', back]), { code: 0, out: /7 documents copied/ })
  t.match(await read(await start(t, back), '文档'), /there/)
})
