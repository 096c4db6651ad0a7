import t from 'tap'
import * as Y from 'yjs'
import type { StoredDocument } from '../../src/store/store.ts'
import { Differences } from '../../src/sync/join/differences.ts'
import { StoredDocuments } from '../../src/sync/save/stored-documents.ts'
import { Engine, until, type JoinOptions, type Peer } from './engine.ts'
import { InlineWork } from './inline-work.ts'
import { MemoryStore } from './memory-store.ts'

const MiB = 2 ** 20
const vector = (clock: number): Uint8Array => Uint8Array.of(1, 9, clock)
const documentOf = (bytes: number): StoredDocument => {
  const log = [{ seq: 1, update: new Uint8Array(bytes) }]
  return { snapshot: undefined, log, lastSeq: 1, updatedAt: 0, base: 0, hasTombstone: false }
}

/** Differences that are never computed. */
function stuck (): Differences {
  const work = new InlineWork()
  work.others.shut()
  return new Differences(new StoredDocuments(new MemoryStore(), work))
}

await t.test('Differences of large documents are bounded in total, until they are released', async (t) => {
  const differences = stuck()
  const first = differences.of('a', documentOf(40 * MiB), vector(1), 'ada')
  t.ok(first)
  t.equal(differences.of('b', documentOf(30 * MiB), vector(1), 'grace'), undefined, 'too much together with the first')
  t.ok(differences.of('c', documentOf(20 * MiB), vector(1), 'grace'))
  first?.release()
  t.ok(differences.of('b', documentOf(30 * MiB), vector(1), 'grace'))
  t.ok(stuck().of('huge', documentOf(100 * MiB), vector(1), 'ada'), 'but any document can be sent alone')
})

await t.test('The same difference counts once, until the last client that waits for it has it', async (t) => {
  const differences = stuck()
  const same = Array.from({ length: 10 }, () => differences.of('a', documentOf(40 * MiB), vector(1), 'ada'))
  t.ok(same.every((each) => each !== undefined && each.pieces === same[0]?.pieces))
  for (const each of same.slice(1)) each?.release()
  t.equal(differences.of('b', documentOf(30 * MiB), vector(1), 'grace'), undefined)
  same[0]?.release()
  t.ok(differences.of('b', documentOf(30 * MiB), vector(1), 'grace'))
})

await t.test('A failed difference is computed again for the next client that asks', async (t) => {
  const work = new InlineWork()
  const differences = new Differences(new StoredDocuments(new MemoryStore(), work))
  work.others.fail(1)
  const failed = differences.of('a', documentOf(2), vector(1), 'ada')
  await t.rejects(async () => { await failed?.pieces })
  const next = differences.of('a', documentOf(2), vector(1), 'ada')
  t.ok(await next?.pieces)
  for (const each of [failed, next]) each?.release()
})

await t.test('A client that asks for many differences and reads none is sent the rest of the document whole; other clients are not', async (t) => {
  const engine = new Engine()
  const theirs = new Y.Doc()
  const updates: Uint8Array[] = []
  theirs.on('update', (update: Uint8Array) => { updates.push(update) })
  for (let i = 0; i < 300; i++) theirs.getText('text').insert(i % 7, `${i} `.padEnd(1000, 'x'))
  await engine.store.append(updates.map((update) => ({ document: 'room', update })))
  const text = theirs.getText('text').toString()
  const versions = updates.slice(0, 20).map((_, i) => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.mergeUpdates(updates.slice(0, i + 1)))
    return doc
  })
  let asked = 0
  const ask = (options: JoinOptions): { peer: Peer, doc: Y.Doc } => {
    const doc = versions[asked++]!
    const peer = engine.join('room', options)
    peer.askFor(doc)
    return { peer, doc }
  }
  const readers = Array.from({ length: 8 }, () => ask({ userId: 'mallory', canEdit: false, isDeaf: true }))
  await until(() => readers.every(({ peer }) => peer.socket.buffered > 0))
  t.equal(engine.work.differences, 4)
  const honest = ask({ userId: 'ada' })
  await until(() => honest.peer.all('step2').length === 1)
  t.equal(engine.work.differences, 5)
  for (const { peer } of readers) peer.socket.read()
  await until(() => readers.every(({ peer }) => peer.all('step2').length === 1))
  for (const { peer, doc } of [...readers, honest]) {
    for (const heard of peer.heard) if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(doc, heard.bytes)
    t.ok(doc.getText('text').toString() === text)
  }
  const again = ask({ userId: 'mallory' })
  await until(() => again.peer.all('step2').length === 1)
  t.equal(engine.work.differences, 6, 'once they are read, the client can ask again')
})
