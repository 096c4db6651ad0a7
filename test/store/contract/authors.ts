import type { Test } from 'tap'
import { maxAuthors } from '../../../src/store/authors.ts'
import { bytes } from './content.ts'
import type { OpenSubject } from './subject.ts'

/** The rules of every store for who has written. */
export async function authorsContract (t: Test, open: OpenSubject): Promise<void> {
  await t.test('A store knows who has written since an update, those who wrote last first', async (t) => {
    const { store, reopen } = await open(t)
    const update = bytes('x')
    t.same(await store.authors('a', 0), [], 'nobody has written a document that does not exist')
    await store.append([
      { document: 'a', update, authors: ['ada', 'Zoë "O\'Neil"'] },
      { document: 'b', update, authors: ['eve'] },
      { document: 'a', update },
      { document: 'a', update, authors: ['bob'] },
    ])
    await store.append([{ document: 'a', update, authors: ['ada'] }])
    for (const view of [store, await reopen()]) {
      t.same(await view.authors('a', 0), ['ada', 'bob', 'Zoë "O\'Neil"'])
      t.same(await view.authors('a', 1), ['ada', 'bob'])
      t.same(await view.authors('a', 3), ['ada'])
      t.same(await view.authors('a', 4), [])
      t.same(await view.authors('b', 0), ['eve'])
    }
  })

  await t.test('User ids that no store can keep are left out, and their updates stored', async (t) => {
    const { store } = await open(t)
    const longest = 'é'.repeat(255)
    const authors = ['', 'x'.repeat(256), 'a\0b', '\ud83d', longest]
    t.same(await store.append([{ document: 'a', update: bytes('x'), authors }]), [1])
    t.same(await store.authors('a', 0), [longest])
  })

  await t.test('An update of more people than are remembered is stored', async (t) => {
    const { store, reopen } = await open(t)
    const authors = Array.from({ length: 1000 }, (_, at) => `person ${at}`)
    for (let at = 0; at < 2; at++) await store.append([{ document: 'a', update: bytes('x'), authors }])
    t.equal((await store.authors('a', 0)).length, maxAuthors)
    const again = await reopen()
    t.equal((await again.authors('a', 0)).length, maxAuthors)
    t.equal((await again.load('a'))?.log.length, 2)
  })

  await t.test('A compaction keeps who has written, a removal does not', async (t) => {
    const { store, reopen } = await open(t)
    const update = bytes('x')
    const add = (author: string) => store.append([{ document: 'a', update, authors: [author] }])
    await add('ada')
    await add('bob')
    await add('ada')
    await store.compact('a', { replaces: 0, upTo: 2, pieces: [bytes('p')], known: bytes('k') })
    t.same(await store.authors('a', 0), ['ada', 'bob'])
    await add('bob')
    await store.compact('a', { replaces: 1, upTo: 4, pieces: [bytes('p')], known: bytes('k') })
    t.same(await store.authors('a', 0), ['bob', 'ada'])
    t.same(await (await reopen()).authors('a', 3), ['bob'])
    await store.remove('a')
    t.same(await store.authors('a', 0), [])
    await add('eve')
    t.same(await store.authors('a', 0), ['eve'])
  })

  await t.test('Those who wrote last are remembered', async (t) => {
    const { store, reopen } = await open(t)
    const people = Array.from({ length: maxAuthors + 20 }, (_, at) => `person ${at}`)
    for (let at = 0; at < people.length; at += 20) {
      await store.append(people.slice(at, at + 20).map((author) => ({ document: 'a', update: bytes('x'), authors: [author] })))
      const { lastSeq = 0, snapshot } = await store.load('a') ?? {}
      await store.compact('a', { replaces: snapshot?.generation ?? 0, upTo: lastSeq, pieces: [bytes('p')], known: bytes('k') })
    }
    const latest = people.reverse().slice(0, maxAuthors)
    t.same(await store.authors('a', 0), latest)
    await store.close()
    t.same(await (await reopen()).authors('a', 0), latest)
  })
}
