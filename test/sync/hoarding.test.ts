import t from 'tap'
import * as Y from 'yjs'
import { Room } from '../../src/sync/room.ts'
import { edited, Engine, turn, typing, until } from './engine.ts'

await t.test('A client that keeps asking for presence without reading is disconnected', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  const { socket, connection } = peer
  socket.buffered = 2 * 1024 * 1024
  connection.receive({ type: 'query-awareness' })
  t.equal(socket.closed?.code, 4508)
})

await t.test('A client that keeps sending updates with gaps without reading is asked once, and then disconnected', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  peer.socket.buffered = engine.maxBufferedBytes + 1
  const written = peer.socket.writes
  const doc = new Y.Doc()
  const updates = Array.from({ length: 300 }, (_, index) => edited(doc, () => { doc.getText('text').insert(index, 'x') }))
  for (const update of updates.filter((_, index) => index % 2 === 1)) peer.update(update)
  t.equal(peer.socket.writes - written, 1)
  // Each attempt is rejected, and a Hocuspocus client gets an answer to each.
  const reader = await engine.joinLive('room', { wire: 'hocuspocus', canEdit: false })
  reader.socket.buffered = engine.maxBufferedBytes + 1
  for (let count = 0; count < 50_000 && reader.closed === undefined; count++) reader.update(updates[0]!)
  t.equal(reader.closed?.code, 4508)
})

await t.test('Questions that cannot be answered yet are kept, up to a bound', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  engine.store.appends.shut()
  peer.update(typing('one')[0]!)
  await until(() => engine.rooms.unsavedBytes > 0)
  for (let number = 1; number <= 10_000; number++) peer.say({ type: 'stored-question', number })
  t.equal(peer.closed, undefined)
  peer.say({ type: 'stored-question', number: 10_001 })
  t.equal(peer.closed?.code, 4529)
  engine.store.appends.open()
  await until(() => engine.rooms.unsavedBytes === 0)
  const other = await engine.joinLive()
  for (let number = 1; number <= 11_000; number++) other.say({ type: 'stored-question', number })
  t.equal(other.closed, undefined, 'answered questions do not count')
})

await t.test('A client that has answered is asked again', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive()
  const [, second, , fourth] = typing('1', '2', '3', '4')
  const asked = () => peer.all('step1').length
  const before = asked()
  peer.update(second!)
  t.equal(asked(), before + 1)
  peer.say({ type: 'sync-step-2', update: second! })
  peer.update(fourth!)
  t.equal(asked(), before + 2)
})

await t.test('Documents that share a socket do not fill it for each other', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const [one, other] = [await engine.joinLive(), await engine.joinLive()]
  // Like two documents of one Hocuspocus socket: bytes queued for one delay the other too.
  Object.defineProperty(other.socket, 'buffered', { get: () => one.socket.buffered })
  other.socket.drained = async () => { await one.socket.drained() }
  one.socket.stopReading()
  const [before, written] = [other.socket.writes, 'x'.repeat(2 * engine.maxBufferedBytes)]
  // More than memory keeps, so that the missed updates have left it.
  const more = typing(written, ...new Array<string>(10).fill('y'.repeat(200_000)))
  writer.update(more[0]!)
  writer.awareness(1, 1, { name: 'w' })
  await until(() => one.socket.buffered > 0)
  await turn()
  t.equal(other.socket.writes, before, 'nothing more on a full socket')
  for (const update of more.slice(1)) {
    const { ticks } = engine.rooms.counters
    writer.update(update)
    await until(() => engine.rooms.counters.ticks > ticks)
  }
  await until(() => engine.rooms.unsavedBytes === 0)
  one.socket.read()
  await until(() => one.text.length > 2_000_000 && other.text.length > 2_000_000)
  await until(() => Object.keys(other.present).length === 1)
  t.pass('and it receives everything once the socket is read')
})

await t.test('Unread answers are counted for all documents of a socket together', async (t) => {
  const engine = new Engine()
  const socket = (await engine.joinLive('first', { wire: 'hocuspocus', canEdit: false })).socket
  const readers = Array.from({ length: 50 }, (_, i) => engine.join(`room ${i}`, { wire: 'hocuspocus', canEdit: false, socket }))
  await until(() => readers.every(({ connection }) => connection.room instanceof Room && connection.room.isOpen))
  socket.buffered = engine.maxBufferedBytes + 1
  const [update] = typing('something')
  // Each rejection is answered: well below the limit of a single document.
  for (let count = 0; count < 1000 && socket.closed === undefined; count++) {
    for (const reader of readers) reader.update(update!)
  }
  t.equal(socket.closed?.code, 4508)
})

await t.test('A long state vector is not kept for a client that does not read: it is sent the whole document', async (t) => {
  const engine = new Engine()
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => { updates.push(update) })
  for (let i = 0; i < 200; i++) doc.getText('text').insert(i, 'x'.repeat(1000))
  await engine.store.append(updates.map((update) => ({ document: 'room', update })))
  const stale = new Y.Doc()
  Y.applyUpdate(stale, updates[0]!)
  const others = Array.from({ length: 2000 }, (_, i): [number, number] => [1e9 + i, 1])
  const long = Y.encodeStateVector(new Map([...others, [doc.clientID, 1000]]))
  for (const [stateVector, whole] of [[Y.encodeStateVector(stale), false], [long, true]] as const) {
    const reader = engine.join('room', { isDeaf: true })
    reader.say({ type: 'sync-step-1', stateVector })
    reader.say({ type: 'sync-step-1', stateVector })
    await until(() => reader.socket.buffered > 0)
    t.ok((reader.connection.progress.waitingStateVector?.length ?? 0) < 10_000)
    const { differences } = engine.work
    reader.socket.read()
    await until(() => reader.all('step2').length === 2)
    t.ok(reader.text === doc.getText('text').toString() || !whole)
    t.equal(engine.work.differences - differences, whole ? 0 : 1, 'how the second question is answered')
    reader.leave()
  }
})

await t.test('A frame is encoded once for all connections with the same address', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const peers = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  const frames = new Set<Uint8Array>()
  for (const { socket } of peers) {
    const write = socket.write.bind(socket)
    socket.write = (bytes) => { frames.add(bytes); write(bytes) }
  }
  writer.update(typing('one')[0]!)
  await until(() => peers.every(({ text }) => text === 'one'))
  t.equal(frames.size, 1)
})
