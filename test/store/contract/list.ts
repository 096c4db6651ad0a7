import type { Test } from 'tap'
import { bytes, collect, filled, logOf, names } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for names and lists. */
export async function listContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('A name is kept exactly, in any script, up to 255 characters', async (t) => {
    const { store } = await open(t)
    const all = ['a', 'A', 'a ', 'é', 'e\u0301', '文档', '😀', '\uffee', '%2F', 'a/b', "'\"; drop table --", '_', '%', 'ß', 'ss', 'ı', '\\', 'x'.repeat(255), '文'.repeat(255), '😀'.repeat(255), '\ufeff', '\u200b', '__proto__']
    await store.append(all.map((document) => ({ document, update: bytes(document) })))
    for (const document of all) {
      t.same(logOf(await store.load(document)), [document], JSON.stringify(document).slice(0, 20))
    }
    t.same(await names(store.list()), [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  })

  await t.test('A list is in order, and obeys prefix and after', async (t) => {
    const { store } = await open(t)
    const all = ['a', 'a/1', 'a/10', 'a/2', 'a_', 'a0', 'b', 'a%', 'c', 'ä']
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    const ordered = [...all].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    t.same(await names(store.list()), ordered)
    t.same(await names(store.list({ prefix: 'a/' })), ['a/1', 'a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a_' })), ['a_'])
    t.same(await names(store.list({ prefix: 'a%' })), ['a%'])
    t.same(await names(store.list({ prefix: 'a/', after: 'a/1' })), ['a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'a/15' })), ['a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'A' })), ['a/1', 'a/10', 'a/2'])
    t.same(await names(store.list({ prefix: 'a/', after: 'b' })), [])
    t.same(await names(store.list({ after: 'b' })), ['c', 'ä'])
    t.same(await names(store.list({ prefix: 'nothing' })), [])
    for (let limit = 0; limit < 4; limit++) {
      t.same(await names(store.list({ prefix: 'a/', limit })), ['a/1', 'a/10', 'a/2'].slice(0, limit))
    }
    t.same(await names(store.list({ after: 'b', limit: 1 })), ['c'])
  })

  await t.test('A list can have more documents than fit into one read, and its reader can stop early', async (t) => {
    const { store } = await open(t)
    const all = Array.from({ length: 1500 }, (_, at) => `doc-${`${at}`.padStart(5, '0')}`)
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    t.same(await names(store.list()), all)
    t.same(await names(store.list({ prefix: 'doc-', after: 'doc-00999' })), all.slice(1000))
    t.same(await names(store.list({ limit: 1001 })), all.slice(0, 1001))
    for await (const { document } of store.list()) if (document === 'doc-00300') break
    t.same(await store.remove('doc-00300'), true)
    t.equal((await names(store.list())).length, 1499)
    t.equal(await store.count(), 1499)
  })

  await t.test('A list has the sizes and times of each document', async (t) => {
    const { store } = await open(t)
    const before = Date.now()
    await store.append([{ document: 'a', update: filled(10, 1) }, { document: 'a', update: filled(20, 1) }])
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [filled(5, 1), filled(6, 1)], known: bytes('k') })
    await store.append([{ document: 'a', update: filled(30, 1) }])
    const [info] = await collect(store.list())
    const { createdAt, updatedAt, ...sizes } = info ?? { createdAt: 0, updatedAt: 0 }
    t.same(sizes, { document: 'a', snapshotBytes: 11, logBytes: 50, logEntries: 2, lastSeq: 3, setAside: 0 })
    // The clock can be the database's.
    t.ok(Math.abs(createdAt - before) < 60_000 && updatedAt >= createdAt)
  })
  await t.test('The sizes and times of some documents are read at once, as a list has them', async (t) => {
    const { store, reopen } = await open(t)
    const all = ['b', 'a', 'ä', '😀', '\uffee', 'a/1', 'x'.repeat(255), '__proto__']
    await store.append(all.map((document) => ({ document, update: filled(10, 1) })))
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [filled(5, 1)], known: bytes('k') })
    await store.append([{ document: 'a', update: filled(20, 1) }])
    await store.append([{ document: 'gone', update: filled(20, 1) }])
    await store.remove('gone', bytes('deleted'))
    const listed = await collect(store.list())
    for (const view of [store, await reopen()]) {
      t.same(await view.info([...all, 'gone', 'unknown', ...all]), listed, 'each once, in order, and none that does not exist')
      t.same(await view.info(['ä', 'unknown']), listed.filter(({ document }) => document === 'ä'))
      t.same(await view.info(['A', 'a/', 'unknown']), [])
      t.same(await view.info([]), [])
    }
    const { createdAt, updatedAt, ...sizes } = (await store.info(['a']))[0] ?? { createdAt: 0, updatedAt: 0 }
    t.same(sizes, { document: 'a', snapshotBytes: 5, logBytes: 20, logEntries: 1, lastSeq: 2, setAside: 0 })
    t.ok(createdAt > 0 && updatedAt >= createdAt)
    for (const name of ['', 'x'.repeat(256), 'a\0', '\ud800']) await t.rejects(store.info(['a', name]), RangeError)
  })

  await t.test('A document that exists all the time is on exactly one page, while others come and go', async (t) => {
    const { store } = await open(t)
    const name = (at: number) => `doc-${String(at).padStart(3, '0')}`
    const all = Array.from({ length: 90 }, (_, at) => name(at))
    const staying = all.filter((_, at) => at % 3 === 0)
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    const listing = new AbortController()
    const comeAndGo = async (step: number) => {
      for (let at = step; !listing.signal.aborted; at += step) {
        const document = name(at % all.length)
        if (staying.includes(document)) continue
        if (!await store.remove(document, bytes('deleted'))) await store.create(document, bytes('x'))
      }
    }
    const changes = [1, 7].map(comeAndGo)
    for (let round = 0; round < 3; round++) {
      const listed: string[] = []
      for (;;) {
        const after = listed.at(-1) ?? ''
        const page = await names(store.list({ prefix: 'doc-', after, limit: 1 + listed.length % 9 }))
        if (page.length === 0) break
        listed.push(...page)
        // The document at the end of a page is often the next one to go.
        const last = page.at(-1) ?? ''
        if (!staying.includes(last)) await store.remove(last)
      }
      t.same(listed.filter((each) => staying.includes(each)), staying)
      t.same(listed, [...new Set(listed)].sort(), 'in order, and none twice')
    }
    listing.abort()
    await Promise.all(changes)
  })

  await t.test('More documents than fit into one read are looked up at once', async (t) => {
    const { store } = await open(t)
    const all = Array.from({ length: 1000 }, (_, at) => `doc-${`${at}`.padStart(5, '0')}`)
    await store.append(all.map((document) => ({ document, update: bytes('x') })))
    const found = await store.info(all.map((name) => [name, `${name}-unknown`]).flat().reverse())
    t.same(found.map(({ document }) => document), all)
  })
}
