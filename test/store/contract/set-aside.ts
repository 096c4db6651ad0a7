import type { Test } from 'tap'
import { maxSetAsideBytes, maxSetAsideEntries, SetAsideFull } from '../../../src/store/set-aside.ts'
import { bytes, collect, filled, noise, text } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for updates set aside. */
export async function setAsideContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('Updates set aside are kept beside the document until they are removed', async (t) => {
    const { store, reopen } = await open(t)
    const before = Date.now()
    t.same(await store.setAside('none'), [])
    t.equal(await store.removeSetAside('none'), 0)
    await store.append(['1', '2', '3'].map((update) => ({ document: 'a', update: bytes(update) })))
    await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('1')], known: bytes('k'), setAside: [{ update: bytes('2'), reason: 'two' }, { update: new Uint8Array(), reason: '' }] })
    await store.compact('a', { replaces: 1, upTo: 3, pieces: [bytes('1')], known: bytes('k'), setAside: [{ update: bytes('3'), reason: 'ж' }] })
    await store.append([{ document: 'a', update: bytes('4') }, { document: 'b', update: bytes('x') }])
    await store.compact('a', { replaces: 2, upTo: 4, pieces: [bytes('14')], known: bytes('k') })
    for (const view of [store, await reopen()]) {
      const found = await view.setAside('a')
      t.same(found.map(({ seq, update, reason }) => ({ seq, update, reason })), [
        { seq: 1, update: bytes('2'), reason: 'two' }, { seq: 2, update: new Uint8Array(), reason: '' }, { seq: 3, update: bytes('3'), reason: 'ж' },
      ])
      t.ok(found.every(({ at }) => Math.abs(at - before) < 60_000))
      t.equal(Object.getPrototypeOf(found[0]?.update), Uint8Array.prototype)
      t.same(await view.setAside('b'), [])
      t.same((await collect(view.list())).map(({ document, setAside }) => [document, setAside]), [['a', 3], ['b', 0]])
      t.equal(text(await view.readPiece('a', 3, 0)), '14')
    }
    t.equal(await store.removeSetAside('a'), 3)
    t.same(await store.setAside('a'), [])
    t.equal(await store.removeSetAside('a'), 0)
    t.equal((await collect(store.list()))[0]?.setAside, 0)
    t.equal(text(await store.readPiece('a', 3, 0)), '14', 'the document stays')
  })

  await t.test('Updates are set aside together with the snapshot or not at all', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }, { document: 'a', update: bytes('2') }])
    const next = (by: number) => ({ replaces: 0, upTo: 1, pieces: [bytes('x')], known: bytes('k'), setAside: [{ update: bytes('2'), reason: `by ${by}` }] })
    t.equal(await store.compact('a', { ...next(0), replaces: 7 }), undefined)
    t.equal(await store.compact('none', next(0)), undefined)
    await t.rejects(store.compact('a', { ...next(0), upTo: 3 }), RangeError)
    t.same(await store.setAside('a'), [])
    const heads = await Promise.all([1, 2, 3].map((by) => store.compact('a', next(by))))
    t.same((await store.setAside('a')).map(({ reason }) => reason), [`by ${1 + heads.findIndex((head) => head !== undefined)}`])
  })

  await t.test('Updates set aside are removed with their document, and do not belong to the next one of that name', async (t) => {
    const { store } = await open(t)
    const setAside = [{ update: bytes('x'), reason: 'old' }]
    for (let round = 0; round < 2; round++) {
      const [seq = 0] = await store.append([{ document: 'a', update: bytes('1') }])
      t.same(await store.setAside('a'), [])
      t.equal((await collect(store.list()))[0]?.setAside, 0)
      t.ok(await store.compact('a', { replaces: 0, upTo: seq, pieces: [], known: bytes('k'), setAside }))
      t.equal((await store.setAside('a')).length, 1)
      await store.remove('a')
      t.same(await store.setAside('a'), [])
      t.equal(await store.removeSetAside('a'), 0)
    }
  })

  await t.test('Any reason for setting aside is kept as one line, and large updates set aside are kept whole', async (t) => {
    const { store } = await open(t)
    await store.append([{ document: 'a', update: bytes('1') }])
    const updates = [noise(9 << 20, 1), noise(100, 2), noise(5 << 20, 3)]
    const reasons = ['a\0b\nc\ud800', '😀'.repeat(2000), 'plain']
    await store.compact('a', { replaces: 0, upTo: 1, pieces: [], known: bytes('k'), setAside: updates.map((update, at) => ({ update, reason: reasons[at] ?? '' })) })
    const found = await store.setAside('a')
    t.same(found.map(({ reason }) => reason), ['a b c\ufffd', '😀'.repeat(250), 'plain'])
    t.ok(found.length === 3 && found.every(({ update }, at) => Buffer.compare(update, updates[at] ?? bytes('?')) === 0))
  })

  await t.test('A document with too many updates set aside accepts no more, and nothing is lost', async (t) => {
    const { store } = await open(t)
    const many = Array.from({ length: maxSetAsideEntries }, (_, at) => ({ update: bytes(`${at}`), reason: 'many' }))
    const large = [{ update: filled(maxSetAsideBytes, 1), reason: 'large' }]
    for (const [document, setAside] of Object.entries({ many, large })) {
      await store.append(['1', '2', '3'].map((update) => ({ document, update: bytes(update) })))
      const next = { replaces: 0, upTo: 1, pieces: [bytes('1')], known: bytes('k') }
      t.ok(await store.compact(document, { ...next, setAside }))
      const more = { ...next, replaces: 1, upTo: 2, setAside: [{ update: bytes('2'), reason: 'more' }] }
      await t.rejects(store.compact(document, more), SetAsideFull)
      t.match(await store.load(document), { snapshot: { generation: 1, upTo: 1 }, log: [{ seq: 2 }, { seq: 3 }] })
      t.equal(text(await store.readPiece(document, 1, 0)), '1')
      t.equal((await store.setAside(document)).length, setAside.length)
      t.ok(await store.compact(document, { ...more, setAside: [] }), 'a snapshot that sets nothing aside is still accepted')
      t.equal(await store.removeSetAside(document), setAside.length)
      t.ok(await store.compact(document, { ...more, replaces: 2, upTo: 3 }))
    }
  })
}
