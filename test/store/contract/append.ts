import type { Test } from 'tap'
import { bytes, logOf, noise, text } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for appends. */
export async function appendContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('The numbers of appends rise from 1, and the log keeps the order', async (t) => {
    const { store } = await open(t)
    t.same(await store.append([{ document: 'a', update: bytes('1') }, { document: 'b', update: bytes('x') }, { document: 'a', update: bytes('2') }]), [1, 1, 2])
    t.same(await store.append([{ document: 'a', update: bytes('3') }]), [3])
    const stored = await store.load('a')
    t.same(logOf(stored), ['1', '2', '3'])
    t.same(stored?.log.map(({ seq }) => seq), [1, 2, 3])
    t.equal(stored?.lastSeq, 3)
    t.equal(stored?.snapshot, undefined)
    t.same(logOf(await store.load('b')), ['x'])
  })

  await t.test('An append of an empty list is accepted', async (t) => {
    const { store } = await open(t)
    t.same(await store.append([]), [])
  })

  await t.test('An empty update is stored', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: new Uint8Array() }])
    t.same((await store.load('a'))?.log, [{ seq: 1, update: new Uint8Array() }])
  })

  await t.test('Concurrent appends keep their order', async (t) => {
    const { store } = await open(t)
    const calls = Array.from({ length: 200 }, (_, at) => store.append([{ document: 'a', update: bytes(`${at}`) }, { document: `b${at % 7}`, update: bytes(`${at}`) }]))
    const seqs = (await Promise.all(calls)).map(([seq]) => seq)
    t.same(seqs, Array.from({ length: 200 }, (_, at) => at + 1))
    t.same(logOf(await store.load('a')), Array.from({ length: 200 }, (_, at) => `${at}`))
    t.same(logOf(await store.load('b3')), Array.from({ length: 200 }, (_, at) => at).filter((at) => at % 7 === 3).map(String))
  })

  await t.test('A load that begins after an append has resolved returns its update', async (t) => {
    const { store } = await open(t)
    for (let at = 1; at <= 300; at++) {
      const [seq] = await store.append([{ document: 'a', update: bytes(`${at}`) }])
      const stored = await store.load('a', at - 1)
      if (stored?.lastSeq !== seq || logOf(stored)?.[0] !== `${at}`) return t.fail(`entry ${at} was not there`)
    }
    t.pass('each of 300')
  })

  await t.test('An invalid name rejects the whole append', async (t) => {
    const { store } = await open(t)
    for (const document of ['', 'x'.repeat(256), '\ud83d', 'a\0b']) {
      await t.rejects(store.append([{ document: 'good', update: bytes('1') }, { document, update: bytes('2') }]), RangeError)
    }
    t.equal(await store.load('good'), undefined)
  })

  await t.test('The caller can reuse its bytes once an append has settled', async (t) => {
    const { store } = await open(t)
    const update = bytes('first')
    await store.append([{ document: 'a', update }])
    update.fill(0)
    t.same(logOf(await store.load('a')), ['first'])
  })

  await t.test('One append can have an update of 10 MiB and one of a byte', async (t) => {
    const { store } = await open(t)
    const large = noise(10 * 1024 * 1024, 5)
    await store.append([{ document: 'a', update: large }, { document: 'a', update: bytes('x') }])
    const [first, second] = (await store.load('a'))?.log ?? []
    t.ok(first && Buffer.compare(first.update, large) === 0)
    t.equal(text(second?.update), 'x')
  })

  await t.test('A second view of the data shows an append', async (t) => {
    const { store, reopen } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const again = await reopen()
    t.same(logOf(await again.load('a')), ['1'])
  })
}
