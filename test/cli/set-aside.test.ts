import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { readDocument, updatesOf } from '../../src/cli/read-document.ts'
import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { Known } from '../../src/update/known.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { cli, cliProcess } from './run-cli.ts'

/** Updates that decode, and at which Yjs throws when it applies them. */
const poisons = {
  'refers to itself': '0101ffffffff0f0084ffffffff0f00017800',
  'has no length': '0001ffffffff0f010200',
  'is its own parent': '0101ffffffff0f0044ffffffff0f07017800',
}
const poison = (name: keyof typeof poisons = 'refers to itself') => new Uint8Array(Buffer.from(poisons[name], 'hex'))

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'y-cli-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

async function start (t: Test, path: string): Promise<LmdbStore> {
  const store = await openLmdbStore({ path, sync: 'process', logger: quiet })
  t.teardown(() => store.close())
  return store
}

/** One update for each text that a user types. */
function typing (...words: readonly string[]): Uint8Array[] {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const word of words) doc.getText('t').insert(doc.getText('t').length, word)
  return updates
}

const append = (
  store: Store,
  document: string,
  updates: readonly Uint8Array[]
) => store.append(updates.map((update) => ({ document, update })))

/** Appends updates with a poisoned one after the first. */
async function appendPoisoned (
  store: Store,
  document: string,
  bad: Uint8Array,
  ...words: readonly string[]
): Promise<void> {
  const [first, ...others] = typing(...words)
  await append(store, document, [first ?? bad, bad, ...others])
}

/** Stores a snapshot written by an older version: a poisoned piece between good ones. */
async function compactPoisoned (store: Store, document: string, bad: Uint8Array): Promise<void> {
  const [one, two] = typing('one ', 'two')
  const pieces = [one ?? bad, bad, two ?? bad]
  const seqs = await append(store, document, pieces)
  await store.compact(document, { replaces: 0, upTo: seqs.at(-1) ?? 0, pieces, known: new Known().encode() })
}

async function read (store: Store, document: string): Promise<string | undefined> {
  const whole = await readDocument(store, document)
  if (!whole) return undefined
  const doc = new Y.Doc()
  for (const update of updatesOf(whole)) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

await t.test('check, repair and discard-set-aside work on the embedded store', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await append(store, 'fine', typing('fine'))
  await appendPoisoned(store, 'in the log', poison(), 'hello ', 'world')
  await compactPoisoned(store, 'in the snapshot', poison('has no length'))
  await appendPoisoned(store, 'several', poison('is its own parent'), 'a', 'b')
  await append(store, 'several', [poison('has no length')])

  const found = await cli(['check', '--store', path])
  t.equal(found.code, 1)
  t.match(found.out, /^Document "in the log": Yjs cannot apply entry 2 of its log: .+$/m)
  t.match(found.out, /^Document "in the snapshot": Yjs cannot apply piece 1 of its snapshot: .+$/m)
  t.match(found.out, /^Document "several": Yjs cannot apply entry 4 of its log: .+$/m)
  t.match(found.out, /^4 documents, \d+ bytes, 3 with a fault$/m)
  t.notMatch(found.out, /"fine"|hello/)
  t.match(found.err, /y-provider repair sets aside/)

  t.match(await cliProcess(['repair', '--store', path]), { code: 1, err: /A service uses the store in .* stop the service/ })
  await store.close()
  t.match(await cli(['repair', 'in the log', 'none', '--store', path]), {
    code: 1,
    out: /^Document "in the log": 1 update set aside, the rest is kept: entry 2 of its log \(.+\)\n2 documents, 1 repaired, 1 could not/,
    err: /"none": There is no such document/,
  })
  t.match(await cli(['repair', '--store', path]), { code: 0, out: /"several": 2 updates set aside, the rest is kept: entry 2 of its log \(.+\), entry 4 of its log [^]*4 documents, 2 repaired, 0 could not/ })
  t.match(await cli(['repair', '--store', path]), { code: 0, out: /^4 documents, 0 repaired, 0 could not/ })

  const repaired = await start(t, path)
  t.equal(await read(repaired, 'in the log'), 'hello world')
  t.equal(await read(repaired, 'in the snapshot'), 'one two')
  t.equal(await read(repaired, 'several'), 'ab')
  t.same((await repaired.setAside('in the log')).map(({ update }) => update), [poison()])
  t.same((await repaired.setAside('several')).map(({ update }) => update), [poison('is its own parent'), poison('has no length')])
  t.equal((await repaired.load('in the log'))?.snapshot?.generation, 1, 'the second repair changes nothing')
  t.equal((await repaired.load('fine'))?.snapshot, undefined, 'an intact document stays unchanged')
  await repaired.close()

  const left = await cli(['check', '--store', path])
  t.match(left, { code: 1, out: /^Document "in the log" has 1 update set aside \(18 bytes, the latest at 20.+Z\): .+$/m, err: /^y-provider discard-set-aside removes/ })
  t.match(left.out, /^Document "several" has 2 updates set aside/m)
  t.match(left.out, /^4 documents, \d+ bytes, 0 with a fault, 3 with updates set aside$/m)
  t.match(await cli(['discard-set-aside', 'in the log', 'several', 'fine', '--store', path]), {
    code: 1,
    out: 'Document "in the log": 1 update removed\nDocument "several": 2 updates removed\n',
    err: /^Document "fine" has no updates set aside/,
  })
  t.match(await cli(['discard-set-aside', 'in the snapshot', '--store', path]), { code: 0 })
  t.match(await cli(['check', '--store', path]), { code: 0, out: /^4 documents, \d+ bytes, 0 with a fault\n$/ })
})

await t.test('repair and discard-set-aside create no store; discard-set-aside needs names', async (t) => {
  const path = join(await folder(t), 'none')
  t.match(await cli(['repair', '--store', path]), { code: 1, err: /^There is no store in .*none\n$/ })
  t.match(await cli(['discard-set-aside', 'a', '--store', path]), { code: 1, err: /^There is no store in .*none\n$/ })
  t.match(await cli(['discard-set-aside']), { code: 2, err: /discard-set-aside needs the name of a document/ })
})

await t.test('export writes the rest of a document that Yjs cannot apply in full', async (t) => {
  const [path, files] = [await folder(t), await folder(t)]
  await writeFile(join(files, 'plan.md'), '# Plan\n')
  await cli(['import', join(files, 'plan.md'), '--store', path])
  const store = await start(t, path)
  await append(store, 'plan', [poison('is its own parent')])
  await appendPoisoned(store, 'text', poison(), 'hello ', 'world')
  await store.close()
  for (const format of ['yjs', 'markdown']) {
    t.match(await cli(['export', '--to', join(files, format), '--format', format, '--store', path]), {
      code: format === 'yjs' ? 0 : 1, // the text is not a BlockNote document
      out: /^2 documents written/,
      err: /"plan": left out 1 update that Yjs cannot apply\n"text": left out 1 update that Yjs cannot apply/,
    }, format)
  }
  t.equal(await readFile(join(files, 'markdown', 'plan.md'), 'utf8'), '# Plan\n')
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(join(files, 'yjs', 'text.yjs')))
  t.equal(doc.getText('t').toString(), 'hello world')
})

await t.test('backup copies the updates that were set aside, and does not count them as faults', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await append(store, 'a', typing('hello'))
  await store.compact('a', { replaces: 0, upTo: 1, pieces: typing('hello'), known: new Known().encode(), setAside: [{ update: poison(), reason: 'why' }] })
  const copy = join(await folder(t), 'copy')
  t.match(await cli(['backup', copy, '--store', path]), { code: 0, out: /^Document "a" has 1 update set aside [^]*1 document, \d+ bytes, 0 with a fault, 1 with updates set aside/ })
  t.match(await (await start(t, copy)).setAside('a'), [{ update: poison(), reason: 'why' }])
})

await t.test('migrate, repair and discard-set-aside work on PostgreSQL while a node runs', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const url = await server.makeSchema('y_provider')
  const path = await folder(t)
  const store = await start(t, path)
  await append(store, 'a', typing('hello'))
  const next = { pieces: typing('hello'), known: new Known().encode() }
  const aside = (reason: string) => [{ update: new TextEncoder().encode(reason), reason }]
  await store.compact('a', { replaces: 0, upTo: 1, ...next, setAside: aside('first') })
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /^1 document copied, 0 completed, 0 unchanged/ })
  const node = await openPostgresStore({ url, logger: quiet })
  t.teardown(() => node.close())
  t.match(await node.setAside('a'), [aside('first')[0]])
  await store.compact('a', { replaces: 1, upTo: 1, ...next, setAside: aside('second') })
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /^0 documents copied, 1 completed, 0 unchanged/ })
  t.match(await node.setAside('a'), [{ reason: 'first' }, { reason: 'second' }])
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /^0 documents copied, 0 completed, 1 unchanged/ })
  t.equal((await node.setAside('a')).length, 2)
  t.equal(await read(node, 'a'), 'hello')

  await appendPoisoned(node, 'b', poison(), 'x', 'y')
  t.match(await cli(['repair'], { DATABASE_URL: url }), { code: 0, out: /^Document "b": 1 update set aside[^]*\n2 documents, 1 repaired/ })
  t.equal(await read(node, 'b'), 'xy')
  t.match(await cli(['discard-set-aside', 'a', 'b'], { DATABASE_URL: url }), { code: 0, out: 'Document "a": 2 updates removed\nDocument "b": 1 update removed\n' })
  t.match(await cli(['check'], { DATABASE_URL: url }), { code: 0 })
})
