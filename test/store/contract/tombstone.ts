import type { Test } from 'tap'
import { DamagedDocument } from '../../../src/store/store.ts'
import { bytes, logOf, names, noise, text } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for tombstones. */
export async function tombstoneContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('A removed document leaves what was deleted, also while its name is in use again', async (t) => {
    const { store, reopen } = await open(t)
    await store.append([{ document: 'a', update: bytes('old') }, { document: 'b', update: bytes('other') }])
    t.equal(await store.tombstone('a'), undefined)
    const before = Date.now()
    t.equal(await store.remove('a', bytes('deleted')), true)
    t.equal(await store.load('a'), undefined)
    t.same(await names(store.list()), ['b'])
    await store.append([{ document: 'a', update: bytes('new') }])
    for (const view of [store, await reopen()]) {
      const { deleted, at = 0 } = await view.tombstone('a') ?? {}
      t.equal(text(deleted), 'deleted')
      t.ok(at >= before - 1 && at <= Date.now() + 1)
      t.same(logOf(await view.load('a')), ['new'])
      t.equal(await view.tombstone('b'), undefined)
    }
  })

  await t.test('A tombstone is replaced by the next one, and stays if there is none', async (t) => {
    const { store } = await open(t)
    const again = async (deleted?: Uint8Array) => {
      await store.create('a', bytes('x'))
      t.equal(await store.remove('a', deleted), true)
      return text((await store.tombstone('a'))?.deleted)
    }
    t.equal(await again(), undefined)
    t.equal(await again(bytes('one')), 'one')
    t.equal(await again(), 'one')
    t.equal(await again(bytes('one and two')), 'one and two')
    t.equal(await store.remove('a', bytes('three')), false)
    t.equal(await store.remove('unknown', bytes('three')), false)
    t.equal(text((await store.tombstone('a'))?.deleted), 'one and two', 'a document that does not exist leaves none')
    t.equal(await store.tombstone('unknown'), undefined)
  })

  await t.test('Old tombstones are removed', async (t) => {
    const { store } = await open(t)
    for (const document of ['a', 'b']) {
      await store.create(document, bytes('x'))
      await store.remove(document, bytes('deleted'))
    }
    const { at = 0 } = await store.tombstone('a') ?? {}
    t.equal(await store.removeTombstones(at - 1000), 0)
    t.equal(await store.removeTombstones(Date.now() + 1000), 2)
    t.equal(await store.tombstone('a'), undefined)
    t.equal(await store.removeTombstones(Date.now() + 1000), 0)
  })

  await t.test('A damaged tombstone is reported, and damages nothing else', async (t) => {
    const { store, damage, reopen } = await open(t)
    await store.create('a', bytes('x'))
    await store.remove('a', noise(100, 1))
    await store.create('a', bytes('new'))
    await damage('a', 'tombstone')
    const again = await reopen()
    await t.rejects(again.tombstone('a'), DamagedDocument)
    t.same(logOf(await again.load('a')), ['new'])
  })
}
