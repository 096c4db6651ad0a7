import type { Test } from 'tap'
import { DamagedDocument } from '../../../src/store/store.ts'
import { bytes, logOf, names, noise } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for damage, `ping` and `close`. */
export async function damageContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('Damage is recognised and reported, and never repaired by guessing', async (t) => {
    const { store, damage, reopen } = await open(t)
    for (const document of ['entry', 'piece', 'known', 'aside']) {
      await store.append([{ document, update: noise(1000, 1) }])
      await store.compact(document, { replaces: 0, upTo: 1, pieces: [noise(5000, 2)], known: noise(100, 3), setAside: [{ update: noise(1000, 5), reason: 'damaged' }] })
      await store.append([{ document, update: noise(1000, 4) }])
    }
    await damage('entry', 'entry')
    await damage('piece', 'piece')
    await damage('known', 'known')
    await damage('aside', 'aside')
    const again = await reopen()
    await t.rejects(again.load('entry'), DamagedDocument)
    await t.resolves(again.load('piece'))
    await t.rejects(again.readPiece('piece', 1, 0), DamagedDocument)
    await t.rejects(again.load('known'), DamagedDocument)
    await t.rejects(again.setAside('aside'), DamagedDocument)
    await t.resolves(again.load('aside'))
    t.equal((await again.setAside('known')).length, 1, 'what is set aside of a damaged document can be read')
    t.same(await names(again.list()), ['aside', 'entry', 'known', 'piece'])
    t.equal(await store.removeSetAside('aside'), 1)
  })

  await t.test('An open store answers a ping, and a closed one rejects appends', async (t) => {
    const { store, reopen } = await open(t)
    await store.ping()
    const appended = store.append([{ document: 'a', update: bytes('1') }])
    await store.close()
    t.same(await appended, [1], 'close waits for pending calls')
    await t.rejects(store.append([{ document: 'a', update: bytes('2') }]))
    const again = await reopen()
    t.same(logOf(await again.load('a')), ['1'])
  })
}
