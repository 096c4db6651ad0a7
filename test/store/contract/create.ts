import type { Test } from 'tap'
import { bytes, logOf } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for creations. */
export async function createContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('Of 50 concurrent calls of create exactly one creates the document', async (t) => {
    const { store } = await open(t)
    const made = await Promise.all(Array.from({ length: 50 }, (_, at) => store.create('a', bytes(`${at}`))))
    t.same(made.filter((seq) => seq !== undefined), [1])
    t.same(logOf(await store.load('a')), [`${made.indexOf(1)}`])
    t.equal(await store.create('a', bytes('late')), undefined)
    t.equal((await store.load('a'))?.lastSeq, 1)
  })

  await t.test('A race between create and append has one winner', async (t) => {
    const { store } = await open(t)
    const [[appended], created] = await Promise.all([store.append([{ document: 'a', update: bytes('appended') }]), store.create('a', bytes('created'))])
    t.same(logOf(await store.load('a')), created === 1 ? ['created', 'appended'] : ['appended'])
    t.equal(appended, created === 1 ? 2 : 1)
  })

  await t.test('A removed document can be created again', async (t) => {
    const { store } = await open(t)
    t.equal(await store.create('a', bytes('1')), 1)
    await store.remove('a')
    t.ok(Number(await store.create('a', bytes('2'))) > 1)
    t.same(logOf(await store.load('a')), ['2'])
  })

  await t.test('A store knows who has created a document', async (t) => {
    const { store, reopen } = await open(t)
    await store.create('a', bytes('1'), ['ada', ''])
    await store.create('a', bytes('2'), ['bob'])
    for (const view of [store, await reopen()]) t.same(await view.authors('a', 0), ['ada'])
  })
}
