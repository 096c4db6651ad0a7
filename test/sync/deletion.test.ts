import t from 'tap'
import * as Y from 'yjs'
import { closes } from '../../src/protocol/close-codes.ts'
import { Known } from '../../src/update/known.ts'
import { uniteKnown } from '../../src/update/unite-known.ts'
import { edited, Engine, typing, until, type Peer } from './engine.ts'

const isClosed = (...peers: Peer[]): boolean => peers.every(({ closed }) => closed !== undefined)
const clientsOf = (known: Uint8Array | undefined): number[] =>
  known === undefined ? [] : [...Known.decode(known).stateVector].map(([client]) => client)

/** Removes a document from the store, as another node or a command does: the engine does not hear of it. */
async function remove (engine: Engine, name = 'room'): Promise<number> {
  const { lastSeq = 0 } = await engine.store.load(name) ?? {}
  const before = await engine.store.tombstone(name)
  const deleted = uniteKnown(before === undefined ? [] : [before.deleted], engine.store.updates(name))
  if (!await engine.store.remove(name, deleted, lastSeq)) throw new Error('There is nothing to remove')
  return lastSeq
}

await t.test('The connections of a deleted document are closed, on both protocols, and who was in it is forgotten', async (t) => {
  const engine = new Engine()
  await engine.store.append([{ document: 'room', update: typing('text')[0]! }])
  const peers = [await engine.joinLive(), await engine.joinLive('room', { wire: 'hocuspocus' })]
  const other = await engine.joinLive('other')
  peers[0]?.awareness(1, 1, { name: 'Ada' })
  t.equal(engine.rooms.documentDeleted('room', await remove(engine)), 2)
  t.same(peers.map(({ closed }) => closed), [closes.deleted, closes.deleted])
  t.equal(other.closed, undefined)
  t.equal(engine.rooms.openRooms, 1)
})

await t.test('What was not stored yet is not stored later, and joins the tombstone', async (t) => {
  const engine = new Engine()
  const first = await engine.joinLive()
  first.update(typing('stored')[0]!)
  await until(() => engine.store.updates('room').length === 1)
  engine.store.appends.shut()
  const writer = new Y.Doc()
  first.update(edited(writer, () => { writer.getMap('m').set('key', 'unsaved') }))
  await until(() => engine.store.appends.waiting === 1)
  const late = new Y.Doc()
  first.update(edited(late, () => { late.getMap('m').set('key', 'pending') }))
  const upTo = await remove(engine)
  engine.rooms.documentDeleted('room', upTo)
  engine.store.appends.open()
  await engine.rooms.flushed()
  t.same(engine.store.updates('room'), [])
  t.equal(engine.rooms.unsavedBytes, 0)
  const inTombstone = (): boolean => {
    const clients = clientsOf(engine.store.tombstones.get('room')?.deleted)
    return [writer, late].every(({ clientID }) => clients.includes(clientID))
  }
  await until(inTombstone)
  t.ok(inTombstone())
})

await t.test('A room that hears of a deletion only from the store closes at its next update', async (t) => {
  const engine = new Engine()
  const peers = [await engine.joinLive(), await engine.joinLive()]
  peers[0]?.update(typing('text')[0]!)
  await until(() => engine.store.updates('room').length === 1)
  await remove(engine)
  await engine.store.create('room', typing('new')[0]!)
  peers[1]?.update(typing('stale')[0]!)
  await until(() => isClosed(...peers))
  t.same(peers.map(({ closed }) => closed), [closes.deleted, closes.deleted])
  t.equal(engine.store.updates('room').length, 1)
  t.equal((await engine.joinLive()).text, 'new')
})

await t.test('So does a room whose first updates were on their way when the document was created and deleted', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  await engine.store.append([{ document: 'room', update: typing('from another node')[0]! }])
  engine.store.appends.shut()
  peer.update(typing('first')[0]!)
  await until(() => engine.store.appends.waiting === 1)
  await remove(engine)
  engine.store.appends.open()
  await until(() => isClosed(peer))
  t.equal(peer.closed, closes.deleted)
  t.same(engine.store.updates('room'), [])
})

await t.test('A deletion that overtakes the opening of its room closes it', async (t) => {
  for (const isRead of [true, false]) {
    const engine = new Engine()
    // So large that a worker reads it.
    const text = typing('x'.repeat(200_000))[0]!
    const [upTo = 0] = await engine.store.append([{ document: 'room', update: text }])
    const gate = isRead ? engine.work.others : engine.store.loads
    gate.shut()
    const peer = engine.join()
    peer.askFor(new Y.Doc())
    peer.update(typing('mine')[0]!)
    await until(() => gate.waiting === 1)
    await engine.store.remove('room', uniteKnown([], [text]))
    t.equal(engine.rooms.documentDeleted('room', upTo), 0)
    gate.open()
    await until(() => isClosed(peer))
    t.equal(peer.closed, closes.deleted)
    t.same(peer.heard, [])
    t.equal(engine.store.updates('room').length, 0)
    t.equal(engine.rooms.openRooms, 0)
  }
})

await t.test('A deleted name admits nobody until it is created again, or its tombstone is old', async (t) => {
  const engine = new Engine()
  await engine.store.append([{ document: 'room', update: typing('text')[0]! }])
  await remove(engine)
  const late = [engine.join(), engine.join('room', { wire: 'hocuspocus' }), engine.join('room', { canEdit: false })]
  for (const peer of late) {
    peer.askFor(new Y.Doc())
    peer.update(typing('text')[0]!)
  }
  await until(() => isClosed(...late))
  t.same(late.map(({ closed }) => closed), late.map(() => closes.deleted))
  t.equal(engine.rooms.openRooms, 0)
  t.same(engine.store.updates('room'), [])
  await engine.store.create('room', typing('new')[0]!)
  t.equal((await engine.joinLive()).text, 'new')
  await engine.store.append([{ document: 'old', update: typing('text')[0]! }])
  await remove(engine, 'old')
  await engine.store.removeTombstones(Date.now() + 1)
  t.equal((await engine.joinLive('old')).text, '')
})

await t.test('A page with the deleted text is refused in the new document, whatever it sends first; new pages are not', async (t) => {
  const engine = new Engine()
  const old = new Y.Doc()
  const text = edited(old, () => { old.getText('text').insert(0, 'deleted') })
  await engine.store.append([{ document: 'room', update: text }])
  await remove(engine)
  await engine.store.create('room', typing('new ')[0]!)
  const page = new Y.Doc()
  Y.applyUpdate(page, text)
  const continued = edited(page, () => { page.getText('text').insert(7, '!') })
  const attempts: Array<(peer: Peer) => void> = [
    (peer) => { peer.askFor(page) },
    (peer) => { peer.say({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(page) }) },
    (peer) => { peer.update(text) },
    (peer) => { peer.update(continued) },
    (peer) => { peer.update(edited(page, () => { page.getText('text').delete(0, 1) })) },
    (peer) => { peer.update(edited(old, () => { old.getMap('m').set('key', 1) })) },
    (peer) => { peer.update(Y.mergeUpdates([typing('x'.repeat(200_000))[0]!, text])) },
  ]
  const fresh = await engine.joinLive()
  for (const [at, attempt] of attempts.entries()) {
    for (const wire of ['y-websocket', 'hocuspocus'] as const) {
      const peer = engine.join('room', { wire })
      attempt(peer)
      await until(() => isClosed(peer))
      t.equal(peer.closed, closes.deleted, `attempt ${at}`)
      t.same([...peer.all('step2'), ...peer.all('update')], [], 'it gets nothing of the new document')
    }
  }
  const reader = engine.join('room', { canEdit: false })
  reader.askFor(page)
  await until(() => isClosed(reader))
  t.equal(reader.closed, closes.deleted, 'a page that can only read too')
  fresh.update(edited(fresh.doc, () => {}))
  const writer = fresh.doc
  fresh.update(edited(writer, () => { writer.getText('text').insert(4, 'text') }))
  await engine.rooms.flushed()
  t.equal(fresh.closed, undefined)
  t.equal((await engine.joinLive()).text, 'new text')
  const broken = engine.join()
  broken.say({ type: 'sync-step-1', stateVector: Uint8Array.of(9) })
  await until(() => isClosed(broken))
  t.equal(broken.closed, closes.malformed)
})

await t.test('A document that was restored from a backup admits the pages that have it', async (t) => {
  const engine = new Engine()
  const [saved, more] = typing('saved ', 'more')
  await engine.store.append([saved!, more!].map((update) => ({ document: 'room', update })))
  await remove(engine)
  await engine.store.create('room', saved!)
  const page = await engine.joinLive()
  page.say({ type: 'sync-step-2', update: Y.mergeUpdates([saved!, more!]) })
  await engine.rooms.flushed()
  t.equal(page.closed, undefined)
  t.equal((await engine.joinLive()).text, 'saved more')
})

await t.test('A late word about a deletion leaves the room of a newer document open', async (t) => {
  const engine = new Engine()
  await engine.store.append([{ document: 'room', update: typing('text')[0]! }])
  const upTo = await remove(engine)
  await engine.store.create('room', typing('new')[0]!)
  const fresh = await engine.joinLive()
  t.equal(engine.rooms.documentDeleted('room', upTo), 0)
  engine.store.loads.shut()
  const opening = engine.join('room 2')
  t.equal(engine.rooms.documentDeleted('room 2', upTo), 0)
  engine.store.loads.open()
  opening.askFor(new Y.Doc())
  await until(() => opening.all('step2').length > 0)
  t.same([fresh.closed, opening.closed], [undefined, undefined])
})

await t.test('A deletion whose last number is not known makes the room look into the store', async (t) => {
  const engine = new Engine()
  for (const document of ['deleted', 'kept']) await engine.store.append([{ document, update: typing('text')[0]! }])
  const [deleted, kept] = [await engine.joinLive('deleted'), await engine.joinLive('kept')]
  await remove(engine, 'deleted')
  engine.store.loads.shut()
  await engine.store.append([{ document: 'opening', update: typing('text')[0]! }])
  const opening = engine.join('opening')
  await until(() => engine.store.loads.waiting === 1)
  for (const room of ['kept', 'opening', 'deleted', 'not open']) t.equal(engine.rooms.documentDeleted(room, 0), 0)
  engine.store.loads.open()
  await until(() => isClosed(deleted))
  opening.askFor(new Y.Doc())
  await until(() => opening.all('step2').length > 0)
  t.same([deleted.closed, kept.closed, opening.closed], [closes.deleted, undefined, undefined])
})

await t.test('A tombstone that cannot be read keeps the document closed, for now or for good', async (t) => {
  const engine = new Engine()
  await engine.store.append([{ document: 'room', update: typing('text')[0]! }])
  await engine.store.remove('room', Uint8Array.of(99))
  await engine.store.create('room', typing('new')[0]!)
  const peer = engine.join()
  await until(() => isClosed(peer))
  t.equal(peer.closed, closes.damaged)
})
