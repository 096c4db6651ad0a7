import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import {
  countersKey, decodeRow, encodeRow, encodeState, journalRange, knownKey, logBatchKey, logKey, nameKey, noState, ownKey,
  pieceKey, seal, stateKey, wrap,
} from '../../../src/store/lmdb/layout.ts'
import { openLmdbReader, openLmdbStore, type LmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import type { LmdbTree } from '../../../src/store/lmdb/tree.ts'
import { DamagedDocument } from '../../../src/store/store.ts'
import { eventually } from '../../clients/eventually.ts'
import { damageLmdb } from '../damage-lmdb.ts'
import { bytes, collect, logOf } from '../contract/content.ts'
import { quiet } from '../quiet-logger.ts'
import { fileSizeLimit } from './file-size-limit.ts'

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'y-journal-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

async function start (t: Test, path: string, foldEveryMs?: number): Promise<LmdbStore> {
  const more = foldEveryMs === undefined ? {} : { foldEveryMs }
  const store = await openLmdbStore({ path, sync: 'process', logger: quiet, ...more })
  t.teardown(() => store.close())
  return store
}

/** The bare tree of a store that is closed. */
async function withTree<Result> (path: string, work: (tree: LmdbTree) => Result): Promise<Result> {
  const tree = open<Buffer, Buffer>({ path: join(path, 'documents.mdb'), noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  try {
    return work(tree)
  } finally {
    await tree.close()
  }
}

/** The file as a crash of the process leaves it at this moment. */
async function crashed (t: Test, path: string): Promise<string> {
  const copy = join(await folder(t), 'crashed')
  await mkdir(copy)
  await copyFile(join(path, 'documents.mdb'), join(copy, 'documents.mdb'))
  return copy
}

const type = (store: LmdbStore, document: string, ...texts: string[]) => {
  return store.append(texts.map((text) => ({ document, update: bytes(text), authors: [`author of ${text}`] })))
}

await t.test('After a crash the journal is read, and then folded', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await type(store, 'a', 'one')
  await type(store, 'b', 'x')
  await type(store, 'a', 'two')
  await type(store, 'a', 'three', 'four')
  const copy = await crashed(t, path)
  t.equal(await withTree(copy, (tree) => tree.getKeysCount(journalRange())), 2, 'the first update of a document is not journaled')

  const reader = await openLmdbReader(copy)
  t.same(logOf(await reader.load('a')), ['one', 'two', 'three', 'four'])
  await reader.close()
  const again = await start(t, copy)
  t.same(logOf(await again.load('a')), ['one', 'two', 'three', 'four'])
  t.same(await again.authors('a', 2), ['author of four', 'author of three'])
  t.same(await type(again, 'a', 'five'), [5], 'numbers continue')
  const [info] = await collect(again.list())
  t.match(info, { document: 'a', logEntries: 5, lastSeq: 5, logBytes: 'onetwothreefourfive'.length })
  await again.close()
  await withTree(copy, (tree) => {
    t.equal(tree.getKeysCount(journalRange()), 0)
    const row = tree.getBinary(nameKey('a')) as Buffer
    const { id } = decodeRow(row.subarray(4))
    const log = [...tree.getKeys({ start: logKey(id, 0), end: stateKey(id) })]
    t.same(log, [logBatchKey(id, 1, 1), logBatchKey(id, 5, 4)])
  })
  t.same(logOf(await (await start(t, copy)).load('a')), ['one', 'two', 'three', 'four', 'five'])
})

await t.test('Who has written is known after a crash too', async (t) => {
  const store = await start(t, await folder(t))
  const write = (...authors: string[]) => store.append([{ document: 'a', update: bytes('x'), authors }])
  for (const authors of [[], ['ada'], ['ada'], ['ada', 'bob'], ['ada', 'bob'], [], ['eve'], ['eve']]) await write(...authors)
  const copy = await crashed(t, store.folder)
  await damageLmdb(copy, 'a', 'entry')
  const reader = await openLmdbReader(copy)
  for (const [since, authors] of [[0, ['eve', 'ada', 'bob']], [4, ['eve', 'ada', 'bob']], [5, ['eve']], [8, []]] as const) {
    t.same(await reader.authors('a', since), authors, `since ${since}`)
  }
  await reader.close()
})

await t.test('A fold that finds the disk full loses nothing, and is repeated', async (t) => {
  const problems: object[] = []
  const path = await folder(t)
  const logger = { ...quiet, error: (fields: object, line: string) => problems.push({ ...fields, line }) }
  const store = await openLmdbStore({ path, sync: 'process', logger })
  t.teardown(() => store.close())
  const limit = fileSizeLimit(t)
  const names = Array.from({ length: 600 }, (_, at) => `d${at}`)
  for (const size of [10, 40]) await store.append(names.map((document) => ({ document, update: new Uint8Array(size) })))
  const records = async () => withTree(await crashed(t, path), (tree) => tree.getKeysCount(journalRange()))
  limit(String((await stat(join(path, 'documents.mdb'))).size))
  const fill = () => store.append([{ document: 'large', update: new Uint8Array(400_000) }]).then(() => true, () => false)
  while (await fill()) t.pass('there is still room')
  problems.length = 0
  // Now there is room for the removal itself, and none for the other documents, which a removal folds.
  t.equal(await store.remove('d0'), true)
  t.match(problems, [{ err: undefined, cause: /^.+$/, line: /Failed to fold the journal; its updates stay there/ }])
  t.equal(await records(), 1)
  limit('unlimited')
  t.equal((await store.load('d333'))?.log.length, 2)
  await store.remove('d1')
  t.equal(await records(), 0)
  t.equal((await store.load('d599'))?.log.length, 2)
  await store.close()
  t.equal((await (await start(t, path)).load('d599'))?.log.length, 2)
})

await t.test('A crash at any step of a fold leaves every update once', async (t) => {
  const path = await folder(t)
  const store = await start(t, path, 0)
  const texts: string[] = []
  for (let round = 0; round < 40; round++) {
    texts.push(`${round}`)
    await type(store, 'a', `${round}`)
    // Whatever of the fold of earlier rounds is written now.
    const again = await start(t, await crashed(t, path))
    t.same(logOf(await again.load('a')), texts)
    await again.close()
  }
})

await t.test('The journal is folded after a while, and when it has grown', async (t) => {
  const path = await folder(t)
  const store = await start(t, path, 1)
  await type(store, 'a', 'one')
  await type(store, 'a', 'two')
  const reader = await openLmdbReader(path)
  t.teardown(() => reader.close())
  const records = async () => withTree(await crashed(t, path), (tree) => tree.getKeysCount(journalRange()))
  await eventually(async () => await records() === 0)
  t.same(logOf(await reader.load('a')), ['one', 'two'])

  const large = await start(t, await folder(t))
  const names = Array.from({ length: 300 }, (_, at) => `d${at}`)
  const all = (size: number) => large.append(names.map((document) => ({ document, update: new Uint8Array(size) })))
  for (let round = 0; round < 4; round++) await all(8000)
  const grown = async () => withTree(await crashed(t, large.folder), (tree) => tree.getKeysCount(journalRange()))
  await eventually(async () => await grown() <= 1)
  t.equal((await large.load('d7'))?.log.length, 4)
})

await t.test('A damaged update of the journal damages its document, and no other', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  for (const document of ['a', 'b', 'a', 'b']) await type(store, document, 'text')
  const copy = await crashed(t, path)
  await damageLmdb(copy, 'a', 'entry')
  const reader = await openLmdbReader(copy)
  await t.rejects(reader.load('a'), { name: 'DamagedDocument', message: /entry 2 of its log fails its checksum/ })
  t.same(logOf(await reader.load('b')), ['text', 'text'])
  await reader.close()
  const again = await start(t, copy)
  await t.rejects(again.load('a'), DamagedDocument)
  t.same(logOf(await again.load('b')), ['text', 'text'])
  await again.close()
  const third = await start(t, copy)
  await t.rejects(third.load('a'), { message: /entry 2 of its log fails its checksum/ }, 'and it stays damaged when it is folded')
  t.same(logOf(await third.load('b')), ['text', 'text'])
})

await t.test('A journal of which nobody knows what it held is reported, and the store not opened', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await type(store, 'a', 'one')
  await type(store, 'a', 'two')
  const copy = await crashed(t, path)
  await withTree(copy, (tree) => {
    for (const { key, value } of tree.getRange(journalRange())) {
      const damaged = Buffer.from(value)
      damaged.writeUInt8(damaged.readUInt8(9) ^ 1, 9)
      tree.putSync(key, damaged)
    }
  })
  const expected = { name: 'DamagedJournal', message: /restore a backup/ }
  await t.rejects(openLmdbStore({ path: copy, sync: 'process', logger: quiet }), expected)
  const reader = await openLmdbReader(copy)
  t.teardown(() => reader.close())
  await t.rejects(reader.load('a'), expected)
})

await t.test('Nothing of a removed document stays in the journal, or in a backup', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await type(store, 'secret', 'first')
  await type(store, 'kept', 'first')
  await type(store, 'secret', 'the secret text')
  await type(store, 'kept', 'second')
  await store.remove('secret')
  const backup = await folder(t)
  await store.copyTo(backup)
  await withTree(backup, (tree) => {
    for (const { value } of tree.getRange({})) t.notOk(value.includes('the secret text'))
  })
  t.same(logOf(await (await start(t, backup)).load('kept')), ['first', 'second'])
})

await t.test('A store of layout 1 is opened, and continued in layout 2', async (t) => {
  const path = await folder(t)
  await (await start(t, path)).close()
  const put = (tree: LmdbTree, key: Buffer, content: Uint8Array) => tree.putSync(key, seal(key, wrap(content)))
  await withTree(path, (tree) => {
    tree.putSync(ownKey('layout'), Buffer.from('1'))
    tree.putSync(countersKey, Buffer.from(JSON.stringify({ nextId: 8, floor: 3 })))
    put(tree, nameKey('old'), encodeRow({ id: 7, createdAt: 1000 }))
    put(tree, pieceKey(7, 2, 0), bytes('piece'))
    put(tree, knownKey(7, 2), bytes('known'))
    put(tree, logKey(7, 5), bytes('five'))
    put(tree, logKey(7, 6), bytes('six'))
    const log = { lastSeq: 6, logBytes: 7, logEntries: 2, updatedAt: 2000 }
    put(tree, stateKey(7), encodeState({ ...noState, ...log, generation: 2, upTo: 4, pieces: 1, snapshotBytes: 5 }))
  })
  const before = await openLmdbReader(path)
  t.same(logOf(await before.load('old')), ['five', 'six'], 'it can be read before')
  await before.close()

  const lines: unknown[] = []
  const store = await openLmdbStore({ path, sync: 'process', logger: { ...quiet, info: (fields, line) => lines.push(fields, line) } })
  t.match(lines, [{ from: 1, to: 2 }, /Upgraded the layout of the store; earlier versions of y-provider cannot open it/])
  t.same(await type(store, 'old', 'seven', 'eight'), [7, 8])
  await store.close()
  const again = await start(t, path)
  t.same(logOf(await again.load('old')), ['five', 'six', 'seven', 'eight'])
  t.same(logOf(await again.load('old', 6)), ['seven', 'eight'])
  t.ok(await again.compact('old', { replaces: 2, upTo: 7, pieces: [bytes('new')], known: bytes('k') }))
  t.same(logOf(await again.load('old')), ['eight'])
  const [info] = await collect(again.list())
  t.match(info, { logEntries: 1, logBytes: 5, lastSeq: 8, createdAt: 1000 })
})
