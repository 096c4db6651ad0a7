import t from 'tap'
import * as Y from 'yjs'
import { closes } from '../../src/protocol/close-codes.ts'
import { Engine, edited, typing, until } from './engine.ts'

/** Above the size that is checked in a worker. */
const large = 'x'.repeat(200_000)

await t.test('A large update is checked elsewhere; later messages of its sender wait, those of others do not', async (t) => {
  const engine = new Engine()
  const [writer, other, reader] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  engine.work.scans.shut()
  const order: string[] = []
  const doc = new Y.Doc()
  reader.onHeard = (heard) => {
    if (heard.type !== 'update') return
    Y.applyUpdate(doc, heard.bytes)
    t.equal(doc.store.pendingStructs, null, 'the order of a connection is kept')
    order.push(doc.getText('text').toString().replaceAll('x', '').trim())
  }
  for (const update of typing('1 ', large, '2 ', large, '3 ')) writer.update(update)
  t.ok(writer.socket.paused, 'nothing more is read from it')
  const theirs = new Y.Doc()
  other.update(edited(theirs, () => { theirs.getMap('map').set('key', 'value') }))
  await until(() => doc.getMap('map').get('key') === 'value')
  t.equal(order.at(-1), '1')
  engine.work.scans.open()
  await until(() => order.at(-1) === '1 2 3')
  t.notOk(writer.socket.paused)
})

await t.test('A large update whose sender is disconnected meanwhile has no effect', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive('room', { userId: 'u' })
  const reader = await engine.joinLive()
  engine.work.scans.shut()
  const [heavy, light] = typing(large, 'light')
  writer.update(heavy!)
  writer.update(light!)
  t.equal(engine.rooms.reset('room', 'u'), 1)
  t.equal(writer.closed, closes.reset)
  engine.work.scans.open()
  reader.update(typing('other')[0]!)
  await until(() => engine.store.updates('room').length > 0)
  await until(() => engine.rooms.unsavedBytes === 0)
  const stored = new Y.Doc()
  for (const update of engine.store.updates('room')) Y.applyUpdate(stored, update)
  t.equal(stored.getText('text').toString(), 'other')
})

await t.test('A large update whose sender becomes read-only meanwhile has no effect', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive('room', { wire: 'hocuspocus' }), await engine.joinLive()]
  engine.work.scans.shut()
  const [heavy, light] = typing(large, 'light')
  writer.update(heavy!)
  writer.update(light!)
  writer.connection.takeOver({ canEdit: false })
  engine.work.scans.open()
  await until(() => writer.all('status').length === 2)
  t.same(writer.all('status').map(({ stored }) => stored), [false, false])
  reader.update(typing('other')[0]!)
  await until(() => engine.store.updates('room').length > 0)
  t.equal(engine.store.updates('room').length, 1)
  t.ok((await engine.joinLive()).text === 'other')
})

await t.test('A large update whose sender leaves meanwhile is kept, with the messages after it', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const reader = await engine.joinLive()
  engine.work.scans.shut()
  for (const update of typing('1 ', large, ' 2 ', large, ' 3')) writer.update(update)
  writer.say({ type: 'sync-step-1', stateVector: Uint8Array.of(0) })
  writer.leave()
  t.notOk(writer.socket.paused)
  engine.work.scans.open()
  const text = ['1', large, '2', large, '3'].join(' ')
  await until(() => reader.text === text)
  await until(() => engine.rooms.unsavedBytes === 0)
  const stored = new Y.Doc()
  for (const update of engine.store.updates('room')) Y.applyUpdate(stored, update)
  t.equal(stored.getText('text').toString(), text)
})

await t.test('If one waiting message disconnects its sender, the rest are ignored', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  engine.work.scans.shut()
  const [heavy, light] = typing(large, ' light')
  writer.update(heavy!)
  writer.update(Uint8Array.of(1, 2, 3))
  writer.update(light!)
  engine.work.scans.open()
  await until(() => writer.closed === closes.malformed)
  const reader = await engine.joinLive()
  await until(() => reader.text === large)
  await until(() => engine.rooms.unsavedBytes === 0)
  t.equal((await engine.joinLive()).text, large)
})

await t.test('Changes of a client that leaves before the room is open are kept', async (t) => {
  const engine = new Engine()
  engine.store.loads.shut()
  const writer = engine.join()
  for (const update of typing('in ', 'a hurry')) writer.update(update)
  writer.leave()
  engine.store.loads.open()
  await until(() => engine.rooms.openRooms === 0)
  t.equal((await engine.joinLive()).text, 'in a hurry')
})

await t.test('A room stays open while a large update of it is being checked', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  engine.work.scans.shut()
  writer.update(typing(large)[0]!)
  writer.leave()
  t.equal(engine.rooms.openRooms, 1)
  engine.work.scans.open()
  await until(() => engine.rooms.openRooms === 0)
})

await t.test('If the check itself fails, the client is told to retry', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  engine.work.scans.fail(1, new Error('The worker has died'))
  writer.update(typing(large)[0]!)
  await until(() => writer.closed !== undefined)
  t.equal(writer.closed, closes.unavailable)
  t.match(engine.log.lines.join(), 'Failed to check an update')
})

await t.test('A document that ends while it waits does not leave its socket paused', async (t) => {
  const engine = new Engine()
  engine.store.damaged.add('broken')
  const peer = engine.join('broken', { wire: 'hocuspocus' })
  t.ok(peer.socket.paused, 'nothing is read until the document is open')
  await until(() => peer.closed !== undefined)
  t.equal(peer.closed, closes.damaged)
  t.notOk(peer.socket.paused, 'the socket can carry other documents')
})

await t.test('Changes of a client that has left count, even if another waiting client is disconnected', async (t) => {
  const engine = new Engine()
  engine.store.loads.shut()
  const [gone, broken] = [engine.join(), engine.join()]
  gone.update(typing('kept')[0]!)
  gone.leave()
  broken.update(Uint8Array.of(1, 2, 3))
  engine.store.loads.open()
  await until(() => broken.closed === closes.malformed)
  await until(() => engine.rooms.openRooms === 0)
  t.equal((await engine.joinLive()).text, 'kept')
})
