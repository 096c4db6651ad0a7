import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { readDocument, updatesOf } from '../../src/cli/read-document.ts'
import { convert } from '../../src/convert/convert.ts'
import { standardTable } from '../../src/convert/standard-table.ts'
import { openLmdbStore, type LmdbStore } from '../../src/store/lmdb-store.ts'
import { openPostgresStore } from '../../src/store/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { damageLmdb } from '../store/damage-lmdb.ts'
import { startPostgres } from '../store/postgres-server.ts'
import { quiet } from '../store/quiet-logger.ts'
import { cli } from './run-cli.ts'

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

/** A document typed word by word, stored as the updates of the typing, half of them in a snapshot. */
async function write (store: Store, document: string, words: readonly string[]): Promise<void> {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const word of words) doc.getText('t').insert(doc.getText('t').length, word)
  const seqs = await store.append(updates.map((update) => ({ document, update })))
  const half = updates.length >> 1
  const { pieces, known } = snapshotPieces(updates.slice(0, half), 64)
  await store.compact(document, { replaces: 0, upTo: seqs[half - 1] ?? 0, pieces, known: known.encode() })
}

async function read (store: Store, document: string): Promise<string | undefined> {
  const whole = await readDocument(store, document)
  if (!whole) return undefined
  const doc = new Y.Doc()
  for (const update of updatesOf(whole)) Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

const NAMES = ['plain', 'a/b c', '文档', '.hidden', 'x'.repeat(255), '100%']
const words = (name: string) => Array.from({ length: 40 }, (_, at) => `${name.slice(0, 5)}${at} `)

async function fill (store: Store): Promise<void> {
  for (const name of NAMES) await write(store, name, words(name))
}

async function holdsAll (t: Test, store: Store): Promise<void> {
  for (const name of NAMES) t.equal(await read(store, name), words(name).join(''), name.slice(0, 20))
}

await t.test('check: finds what is damaged, beside a service that runs', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await fill(store)
  t.match(await cli(['check'], { DATA_DIR: path }), { code: 0, out: '6 documents,' })
  await damageLmdb(path, 'plain', 'piece')
  await store.append([{ document: 'no update', update: Buffer.from('certainly not') }])
  const found = await cli(['check', '--store', path])
  t.equal(found.code, 1)
  t.match(found.out, /"plain" is damaged in the store: piece 0 of its snapshot fails its checksum/)
  t.match(found.out, /"no update": The update is malformed/)
  t.match(found.out, /7 documents, \d+ bytes, 2 with a fault/)
  // A backup keeps what is damaged as it is: somebody may yet read something out of it.
  const saved = await cli(['backup', join(await folder(t), 'copy'), '--store', path])
  t.match(saved, { code: 1, out: /"plain" is damaged in the store: piece 0 of its snapshot fails its checksum[^]*7 documents, \d+ bytes, 2 with a fault/ })
})

await t.test('backup: of a live store, and it serves', async (t) => {
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
  // As an earlier one leaves it that was killed half-way, and as one begins.
  await writeFile(join(unfinished, 'documents.mdb'), 'half')
  await utimes(unfinished, 0, 0)
  await mkdir(join(target, 'unfinished-copy-2'))
  const done = await cli(['backup', target, '--store', path])
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

await t.test('backup: two at the same moment, and never over a store', async (t) => {
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
  t.ok(before.equals(await readFile(join(target, 'documents.mdb'))), 'it is left as it was')
  await holdsAll(t, await start(t, target))
})

await t.test('export and import: all documents, whatever they are called', async (t) => {
  const [one, files, two] = [await folder(t), join(await folder(t), 'files'), await folder(t)]
  const store = await start(t, one)
  await fill(store)
  t.match(await cli(['export', '--to', files, '--store', one]), { code: 0, out: /6 documents written/ })
  t.equal((await readdir(files)).length, 7)
  t.match(await cli(['import', files, '--store', two]), { code: 0, out: /6 documents made, 0 merged, 0 left/ })
  const copy = await start(t, two)
  await holdsAll(t, copy)
  const index = await readFile(join(files, 'documents.jsonl'), 'utf8')
  t.match(await cli(['export', '--to', files, '--store', one]), { code: 1, out: '', err: /^There is an export in .*files already: name another folder, or add --overwrite\n$/ })
  await store.append([{ document: 'plain', update: typed('late') }])
  t.match(await cli(['export', '--to', files, '--store', one, '--overwrite']), { code: 0, out: /6 documents written/ })
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(join(files, 'plain.yjs')))
  t.match(doc.getText('t').toString(), /late/)
  t.equal(await readFile(join(files, 'documents.jsonl'), 'utf8'), index, 'each file is in the index once')
})

await t.test('export: a document that is not BlockNote\'s is written as what it is', async (t) => {
  const [path, files] = [await folder(t), await folder(t)]
  const store = await start(t, path)
  const doc = new Y.Doc()
  doc.getMap('settings').set('wide', true)
  doc.getText('b').insert(0, 'second')
  doc.getText('a').insert(0, 'first')
  const tiptap = new Y.Doc()
  tiptap.getXmlFragment('document-store').insert(0, [new Y.XmlElement('paragraph')])
  const blocks = convert({ input: Buffer.from('# Plan\n'), from: 'markdown', to: 'yjs' }, standardTable).body
  await store.append([
    { document: 'texts', update: Y.encodeStateAsUpdate(doc) },
    { document: 'tiptap', update: Y.encodeStateAsUpdate(tiptap) },
    { document: 'plan', update: blocks },
    { document: 'nothing', update: Y.encodeStateAsUpdate(new Y.Doc()) },
  ])
  for (const format of ['markdown', 'json']) {
    const to = join(files, format)
    t.match(await cli(['export', '--to', to, '--format', format, '--store', path]), {
      code: 1,
      out: /^4 documents written to .* \(2 in another format\), 0 not\n$/,
      err: '"texts": is no BlockNote document: written as .yjs and .txt\n"tiptap": is no BlockNote document: written as .yjs\n',
    }, format)
    t.equal(await readFile(join(to, 'texts.txt'), 'utf8'), 'first\n\nsecond\n')
    const read = new Y.Doc()
    Y.applyUpdate(read, await readFile(join(to, 'texts.yjs')))
    t.equal(read.getMap('settings').get('wide'), true)
    const extension = format === 'json' ? 'json' : 'md'
    t.strictSame((await readdir(to)).sort(), ['documents.jsonl', `nothing.${extension}`, `plan.${extension}`, 'texts.txt', 'texts.yjs', 'tiptap.yjs'])
  }
  t.equal(await readFile(join(files, 'markdown', 'plan.md'), 'utf8'), '# Plan\n')
})

await t.test('export and import: one by one', async (t) => {
  const [one, files, two] = [await folder(t), await folder(t), await folder(t)]
  const store = await start(t, one)
  await fill(store)
  t.match(await cli(['export', '--to', files, '--store', one, '文档', 'none']), { code: 1, out: /1 document written/, err: /"none": There is no such document/ })
  const file = join(files, `${encodeURIComponent('文档')}.yjs`)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await readFile(file))
  t.equal(doc.getText('t').toString(), words('文档').join(''))
  t.match(await cli(['import', file, '--store', two]), { code: 0, out: /1 document made/ })
  t.match(await cli(['import', file, '--store', two]), { code: 0, out: /1 left unchanged/, err: /exists already/ })
  t.match(await cli(['import', '--merge', file, '--store', two]), { code: 0, out: /1 merged/ })
  await writeFile(join(files, 'broken.yjs'), 'no update')
  t.match(await cli(['import', join(files, 'broken.yjs'), '--store', two]), { code: 1, out: /1 file could not be read/, err: /broken.yjs: The update is malformed/ })
  await writeFile(join(files, 'x.doc'), '')
  t.match(await cli(['import', join(files, 'x.doc'), '--store', two]), { code: 1, err: /cannot be imported \(.yjs, .md, .json\)/ })
  const copy = await start(t, two)
  t.equal(await read(copy, '文档'), words('文档').join(''))
  t.match(await cli(['import', file, '--store', two]), { code: 1, err: /A service is at work in .* stop the service, run this again/ }, 'not under a running service')
})

await t.test('export and import: markdown and JSON', async (t) => {
  const [files, store] = [await folder(t), await folder(t)]
  await writeFile(join(files, 'plan.md'), '# Plan\n\n* one\n* two\n')
  t.match(await cli(['import', join(files, 'plan.md'), '--store', store]), { code: 0, out: /1 document made/ })
  for (const format of ['json', 'markdown']) {
    t.match(await cli(['export', '--to', join(files, format), '--format', format, '--store', store]), { code: 0, out: /1 document written/ }, format)
  }
  t.equal(await readFile(join(files, 'markdown', 'plan.md'), 'utf8'), '# Plan\n\n* one\n* two\n')
  t.match(JSON.parse(await readFile(join(files, 'json', 'plan.json'), 'utf8')), [{ type: 'heading' }, { type: 'bulletListItem' }, { type: 'bulletListItem' }])
  const again = await folder(t)
  t.match(await cli(['import', join(files, 'json', 'plan.json'), '--store', again]), { code: 0, out: /1 document made/ })
  t.match(await cli(['check', '--store', again]), { code: 0 })
})

await t.test('migrate: from the embedded store to PostgreSQL, again after changes, and back', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  const url = await server.makeSchema('y_provider')
  const path = await folder(t)
  const store = await start(t, path)
  await fill(store)
  const first = await cli(['migrate', '--from', path, '--to', url])
  t.match(first, { code: 0, out: /6 documents copied, 0 completed, 0 were there/ })
  t.notMatch(first.err, /y_provider@/, 'nobody is named')
  const target = await openPostgresStore({ url, logger: quiet })
  t.teardown(() => target.close())
  await holdsAll(t, target)
  t.equal((await target.load('plain'))?.snapshot?.pieces, (await store.load('plain'))?.snapshot?.pieces)

  // The old service still runs: someone types, here and there.
  await store.append([{ document: 'plain', update: typed('late') }, { document: 'new', update: typed('new') }])
  await target.append([{ document: '文档', update: typed('there') }])
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /1 document copied, 1 completed, 5 were there already/ })
  t.match(await read(target, 'plain'), /late/)
  t.match(await read(target, '文档'), /there/)
  t.equal(await read(target, 'new'), 'new')
  t.match(await cli(['migrate', '--from', path, '--to', url]), { code: 0, out: /0 documents copied, 0 completed, 7 were there already/ })
  t.match(await cli(['check'], { DATABASE_URL: url }), { code: 0, out: '7 documents' })

  const back = await folder(t)
  t.match(await cli(['migrate', '--from', url, '--to', back]), { code: 0, out: /7 documents copied/ })
  t.match(await read(await start(t, back), '文档'), /there/)
})

function typed (text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}
