import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import type { Logger } from '../../../src/logging/logger.ts'
import { ownKey, setAsideRange } from '../../../src/store/lmdb/layout.ts'
import { StoreInUse } from '../../../src/store/lmdb/owner.ts'
import { openLmdbReader, openLmdbStore, type LmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import { startChild } from './child-process.ts'
import { quiet } from '../quiet-logger.ts'
import { fileSizeLimit } from './file-size-limit.ts'

const mebibyte = 1024 * 1024
const bytes = (text: string) => new TextEncoder().encode(text)

async function folder (t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'y-store-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

async function start (t: Test, path: string, logger: Logger = quiet): Promise<LmdbStore> {
  const store = await openLmdbStore({ path, sync: 'process', logger })
  t.teardown(() => store.close())
  return store
}

await t.test('After a restart everything is there, and numbers continue', async (t) => {
  const path = await folder(t)
  const first = await start(t, path)
  await first.append([{ document: 'a', update: bytes('1') }, { document: 'gone', update: bytes('1') }])
  await first.remove('gone')
  await first.close()
  const second = await start(t, path)
  t.same(await second.append([{ document: 'a', update: bytes('2') }, { document: 'gone', update: bytes('x') }]), [2, 2])
  t.equal((await second.load('a'))?.log.length, 2)
})

await t.test('A second service is refused with the process id of the first, in the same process and in another', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await t.rejects(openLmdbStore({ path, sync: 'process', logger: quiet }), { name: 'StoreInUse', message: new RegExp(`process ${process.pid}\\) uses the store in ${path}`) })
  t.same(await store.append([{ document: 'a', update: bytes('1') }]), [1], 'the first one keeps working')
  await store.close()
  const child = await startChild(path, 'process')
  t.teardown(() => child.process.kill('SIGKILL'))
  await t.rejects(openLmdbStore({ path, sync: 'process', logger: quiet }), StoreInUse)
})

await t.test('A file that is not a store, or is truncated, is reported in one sentence', async (t) => {
  const path = await folder(t)
  const file = join(path, 'documents.mdb')
  const store = await start(t, path)
  await store.append(Array.from({ length: 100 }, (_, i) => ({ document: `d${i}`, update: new Uint8Array(3000) })))
  await store.close()
  const whole = await readFile(file)
  for (const [content, message] of [
    [whole.subarray(0, 300_000), /documents\.mdb is truncated: it has \d+ bytes and needs \d+\. Replace it with a backup/],
    [whole.subarray(0, 3000), /documents\.mdb is not a store/],
    [Buffer.from('half'), /documents\.mdb is not a store/],
  ] as const) {
    await writeFile(file, content)
    await t.rejects(openLmdbStore({ path, sync: 'process', logger: quiet }), message)
    await t.rejects(openLmdbReader(path), message)
  }
  await writeFile(file, whole)
  t.equal((await (await start(t, path)).load('d99'))?.log.length, 1)
})

await t.test('Of many services that start at once, one wins', async (t) => {
  const path = await folder(t)
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => openLmdbStore({ path, sync: 'process', logger: quiet })))
  const opened = tries.filter((each) => each.status === 'fulfilled')
  t.equal(opened.length, 1)
  await opened[0]?.value.close()
})

await t.test('A killed owner does not block the next one, and leaves no files behind', async (t) => {
  const path = await folder(t)
  const child = await startChild(path, 'process')
  child.process.kill('SIGKILL')
  await once(child.process, 'exit')
  const store = await start(t, path)
  await store.close()
  t.same((await readdir(path)).sort(), ['documents.mdb', 'documents.mdb-lock'])
})

await t.test('A reader sees what a service writes in another process', async (t) => {
  const path = await folder(t)
  const child = await startChild(path, 'process')
  t.teardown(() => child.process.kill('SIGKILL'))
  const reader = await openLmdbReader(path)
  t.teardown(() => reader.close())
  let told = 0
  for await (const line of child.lines) {
    const [document = '', seq] = line.split(' ')
    const stored = await reader.load(document)
    if (!stored || stored.lastSeq < Number(seq)) return t.fail(`${document} had ${seq}, and the reader saw ${stored?.lastSeq}`)
    if (++told === 300) break
  }
  await t.rejects(reader.append([{ document: 'a', update: bytes('1') }]), /opened read-only/)
  await t.rejects(reader.removeSetAside('a'), /opened read-only/)
})

await t.test('A store with an unknown layout is rejected, and stays unchanged', async (t) => {
  const path = await folder(t)
  await (await start(t, path)).close()
  const tree = open<Buffer, Buffer>({ path: join(path, 'documents.mdb'), noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  tree.putSync(ownKey('layout'), Buffer.from('99'))
  await tree.close()
  await t.rejects(openLmdbStore({ path, sync: 'process', logger: quiet }), /layout 99.*supports only 1 and 2/)
  await t.rejects(openLmdbReader(path), /layout 99/)
})

await t.test('Updates set aside are copied too, even after a restart, and the copy continues above their numbers', async (t) => {
  const path = await folder(t)
  const first = await start(t, path)
  const setAside = (reason: string) => ({ pieces: [], known: bytes('k'), setAside: [{ update: bytes(reason), reason }] })
  await first.append([{ document: 'a', update: bytes('1') }, { document: 'a', update: bytes('2') }])
  await first.compact('a', { replaces: 0, upTo: 1, ...setAside('first') })
  await first.close()
  const copy = await folder(t)
  await (await start(t, path)).copyTo(copy)
  const second = await start(t, copy)
  await second.compact('a', { replaces: 1, upTo: 2, ...setAside('second') })
  t.match(await second.setAside('a'), [{ seq: 1, reason: 'first', update: bytes('first') }, { seq: 2, reason: 'second' }])
})

await t.test('A removed document leaves no updates set aside in the file', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  await store.append([{ document: 'a', update: bytes('1') }])
  await store.compact('a', { replaces: 0, upTo: 1, pieces: [], known: bytes('k'), setAside: [{ update: bytes('1'), reason: 'why' }] })
  await store.remove('a')
  await store.close()
  const tree = open<Buffer, Buffer>({ path: join(path, 'documents.mdb'), noSubdir: true, encoding: 'binary', keyEncoding: 'binary' })
  t.same([...tree.getKeys({ start: setAsideRange(0).start })], [])
  await tree.close()
})

await t.test('A reader rejects a folder without a store', async (t) => {
  const path = await folder(t)
  await t.rejects(openLmdbReader(join(path, 'none')), /There is no store in/)
})

await t.test('The space of removed and compacted data is reused', async (t) => {
  const path = await folder(t)
  const store = await start(t, path)
  const size = async () => (await stat(join(path, 'documents.mdb'))).size
  const cycle = async (at: number) => {
    for (let part = 0; part < 20; part++) await store.append([{ document: 'a', update: new Uint8Array(100_000).fill(at) }, { document: `b${at}`, update: new Uint8Array(100_000).fill(at) }])
    const stored = await store.load('a')
    await store.compact('a', { replaces: stored?.snapshot?.generation ?? 0, upTo: stored?.lastSeq ?? 0, pieces: Array.from({ length: 8 }, () => new Uint8Array(250_000)), known: bytes('k') })
    await store.remove(`b${at}`)
  }
  for (let at = 0; at < 5; at++) await cycle(at)
  const settled = await size()
  for (let at = 5; at < 40; at++) await cycle(at)
  t.ok(await size() <= settled * 1.5, `${settled} bytes after 5 rounds, ${await size()} after 40; each writes 6 MiB`)
})

await t.test('The file can have any length, as after a crash while it grew', async (t) => {
  const path = await folder(t)
  await (await start(t, path)).close()
  await truncate(join(path, 'documents.mdb'), 12 * mebibyte + 3)
  const store = await start(t, path)
  for (let at = 0; at < 40; at++) await store.append([{ document: 'a', update: new Uint8Array(mebibyte).fill(at) }])
  t.equal((await store.load('a'))?.log.length, 40)
})

await t.test('On a full disk appends are rejected and nothing is partly stored; once there is space, the store works again', async (t) => {
  const path = await folder(t)
  const problems: object[] = []
  const store = await start(t, path, { ...quiet, error: (fields) => problems.push(fields) })
  const limit = fileSizeLimit(t)
  await store.append([{ document: 'a', update: bytes('before') }])
  limit(String(4 * mebibyte))
  let stored = 0
  let refusals = 0
  for (let at = 0; at < 30; at++) {
    const both = store.append([{ document: 'b', update: new Uint8Array(mebibyte / 2).fill(at) }, { document: 'c', update: new Uint8Array(mebibyte / 2).fill(at) }])
    await both.then(() => { stored++ }, (error: Error) => {
      refusals++
      t.match(error, { message: /Failed to write to the store/ })
    })
  }
  t.ok(stored > 0 && refusals > 10, `${stored} stored, ${refusals} rejected`)
  const aside = { replaces: 0, upTo: 1, pieces: [bytes('b')], known: bytes('k'), setAside: [{ update: new Uint8Array(mebibyte), reason: 'large' }] }
  await t.rejects(store.compact('b', aside), /Failed to write to the store/)
  t.same(await store.setAside('b'), [])
  refusals++
  t.ok(problems.length > 0 && problems.length < refusals, `${problems.length} lines: repetitions are not logged`)
  for (const fields of problems) t.match(fields, { err: undefined, cause: /^.+$/ }, 'one line, no stack')
  const check = async (view: LmdbStore) => {
    t.equal((await view.load('b'))?.log.length, stored)
    t.equal((await view.load('c'))?.log.length, stored)
    t.equal((await view.load('a'))?.log.length, 1)
  }
  await check(store)
  limit('unlimited')
  await store.append([{ document: 'b', update: new Uint8Array(mebibyte) }, { document: 'c', update: new Uint8Array(mebibyte) }])
  stored++
  await check(store)
  await store.close()
  await check(await start(t, path))
})

await t.test('A call that fails does not affect the other calls of its transaction', async (t) => {
  const store = await start(t, await folder(t))
  await store.append([{ document: 'a', update: bytes('1') }])
  const [compaction, append] = await Promise.allSettled([
    store.compact('a', { replaces: 0, upTo: 9, pieces: [], known: bytes('k') }),
    store.append([{ document: 'a', update: bytes('2') }]),
  ])
  t.equal(compaction.status, 'rejected')
  t.equal(append.status, 'fulfilled')
})

await t.test('A closed store rejects every call, and can be closed again', async (t) => {
  const store = await start(t, await folder(t))
  await Promise.all([store.close(), store.close()])
  await t.rejects(store.load('a'), /closed/)
  await t.rejects(store.ping(), /closed/)
  await t.rejects(store.readPiece('a', 1, 0), /closed/)
  await t.rejects(store.setAside('a'), /closed/)
  await t.rejects(store.list().next(), /closed/)
})
