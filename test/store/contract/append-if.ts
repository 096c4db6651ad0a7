import type { Test } from 'tap'
import { bytes, logOf, noise } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for updates that are added under a condition. */
export async function appendIfContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('An update is added to the document that was read, whatever was stored since', async (t) => {
    const { store, reopen } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }, { document: 'a', update: bytes('2') }])
    t.same(await store.appendIf({ document: 'a', update: bytes('3'), authors: ['ada'] }, { readAt: 1, isLast: false }), { type: 'stored', seq: 3 })
    const large = noise(1024 * 1024, 1)
    t.same(await store.appendIf({ document: 'a', update: large }, { readAt: 3, isLast: false }), { type: 'stored', seq: 4 })
    for (const view of [store, await reopen()]) {
      const stored = await view.load('a')
      t.same(logOf(stored)?.slice(0, 3), ['1', '2', '3'])
      t.equal(Buffer.compare(stored?.log.at(-1)?.update ?? bytes(''), large), 0)
      t.equal(stored?.lastSeq, 4)
      t.same(await view.authors('a', 0), ['ada'])
    }
  })

  await t.test('An update is added only if nothing was stored since, if that is the condition', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const add = (text: string, readAt: number) => store.appendIf({ document: 'a', update: bytes(text) }, { readAt, isLast: true })
    t.same(await add('2', 1), { type: 'stored', seq: 2 })
    t.same(await add('late', 1), { type: 'changed', lastSeq: 2 })
    t.same(await add('early', 3), { type: 'changed', lastSeq: 2 })
    t.same(logOf(await store.load('a')), ['1', '2'])
    t.ok(await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('p')], known: bytes('k') }))
    t.same(await add('3', 2), { type: 'stored', seq: 3 }, 'a compaction changes nothing')
    t.same(logOf(await store.load('a')), ['3'])
  })

  await t.test('Of concurrent calls that expect the same last update exactly one adds its own', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('first') }])
    const results = await Promise.all(Array.from({ length: 50 }, (_, at) => store.appendIf({ document: 'a', update: bytes(`${at}`) }, { readAt: 1, isLast: true })))
    t.equal(results.filter(({ type }) => type === 'stored').length, 1)
    t.equal(results.filter((result) => result.type === 'changed' && result.lastSeq === 2).length, 49)
    t.same(logOf(await store.load('a')), ['first', `${results.findIndex(({ type }) => type === 'stored')}`])
  })

  await t.test('Conditional and other appends of a document keep their order', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('0') }])
    const calls = Array.from({ length: 60 }, async (_, at) => {
      const entry = { document: 'a', update: bytes(`${at + 1}`) }
      if (at % 2 === 0) return (await store.append([entry]))[0]
      const result = await store.appendIf(entry, { readAt: 1, isLast: false })
      return result.type === 'stored' ? result.seq : undefined
    })
    const seqs = await Promise.all(calls)
    const { log = [] } = await store.load('a') ?? {}
    t.equal(log.length, 61)
    t.same(log.map(({ seq }) => seq), Array.from({ length: 61 }, (_, at) => at + 1))
    t.same(seqs.map((seq) => Buffer.from(log[(seq ?? 0) - 1]?.update ?? []).toString()), Array.from({ length: 60 }, (_, at) => `${at + 1}`))
  })

  await t.test('A document that does not exist is not created', async (t) => {
    const { store } = await open(t)
    for (const isLast of [false, true]) {
      t.same(await store.appendIf({ document: 'a', update: bytes('1') }, { readAt: 1, isLast }), { type: 'absent' })
    }
    await store.append([{ document: 'a', update: bytes('1') }])
    await store.remove('a')
    t.same(await store.appendIf({ document: 'a', update: bytes('2') }, { readAt: 1, isLast: false }), { type: 'absent' })
    t.equal(await store.load('a'), undefined)
    await t.rejects(store.appendIf({ document: '', update: bytes('2') }, { readAt: 1, isLast: false }), RangeError)
  })

  await t.test('An update for a document that was removed and created again is not added', async (t) => {
    const { store } = await open(t)
    const entry = { document: 'a', update: bytes('stale') }
    await store.append([{ document: 'a', update: bytes('1') }, { document: 'a', update: bytes('2') }])
    await store.remove('a')
    const seq = await store.create('a', bytes('new'))
    for (const readAt of [1, 2]) {
      for (const isLast of [false, true]) {
        t.same(await store.appendIf(entry, { readAt, isLast }), { type: 'changed', lastSeq: seq })
      }
    }
    t.same(logOf(await store.load('a')), ['new'])
    t.match(await store.appendIf({ document: 'a', update: bytes('edit') }, { readAt: seq ?? 0, isLast: true }), { type: 'stored' })
  })
}
