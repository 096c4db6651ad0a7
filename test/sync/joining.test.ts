import t from 'tap'
import * as Y from 'yjs'
import { closes } from '../../src/protocol/close-codes.ts'
import { pieceBytes } from '../../src/sync/limits.ts'
import { DeleteSet } from '../../src/update/delete-set.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { isLong } from '../long.ts'
import { Engine, edited, turn, typing, until, type Peer } from './engine.ts'

/** A document in the store that is too large to be sent whole to a client that has a part of it. */
async function largeDocument (engine: Engine): Promise<Y.Doc> {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => { updates.push(update) })
  for (let i = 0; i < 300; i++) doc.getText('text').insert(i % 7, `${i} `.padEnd(1000, 'x'))
  await engine.store.append(updates.map((update) => ({ document: 'room', update })))
  return doc
}

/** Applies a peer's messages to a document, and detects those in the wrong order. */
function follow (peer: Peer, doc: Y.Doc): { isOrdered: boolean } {
  const seen = { isOrdered: true }
  peer.onHeard = (heard) => {
    if (heard.type !== 'update' && heard.type !== 'step2') return
    Y.applyUpdate(doc, heard.bytes)
    seen.isOrdered &&= doc.store.pendingStructs === null
  }
  return seen
}

await t.test('A new client is asked for its changes and told who is present; a Hocuspocus client is asked after its own question', async (t) => {
  const engine = new Engine()
  const present = await engine.joinLive()
  present.awareness(1, 1, { name: 'A' })
  await until(() => Object.keys(present.present).length === 1)
  const plain = engine.join()
  t.same(plain.heard.map(({ type }) => type), ['step1', 'awareness'])
  const other = engine.join('room', { wire: 'hocuspocus' })
  t.same(other.heard.map(({ type }) => type), ['awareness'])
  other.askFor(new Y.Doc())
  await until(() => other.heard.length > 2)
  t.same(other.heard.map(({ type }) => type).slice(1), ['step2', 'step1'])
})

await t.test('An empty document is answered at once, with nothing', async (t) => {
  const engine = new Engine()
  const peer = engine.join()
  peer.askFor(new Y.Doc())
  await until(() => peer.all('step2').length > 0)
  t.same(peer.all('step2')[0]?.bytes, Uint8Array.of(0, 0))
})

await t.test('A new client receives the whole document, whatever state it and the document are in', async (t) => {
  for (const compacted of [false, true]) {
    for (const wire of ['y-websocket', 'hocuspocus'] as const) {
      const engine = new Engine()
      const theirs = await largeDocument(engine)
      if (compacted) {
        (await engine.joinLive()).leave()
        await engine.rooms.compactionIdle()
        t.equal(engine.store.compacted, 1)
      }
      const writer = await engine.joinLive()
      follow(writer, theirs)
      const stale = new Y.Doc()
      Y.applyUpdate(stale, Y.encodeStateAsUpdate(theirs))
      writer.update(edited(theirs, () => { theirs.getText('text').delete(10, 500) }))
      await until(() => engine.rooms.counters.updates === 1 && engine.rooms.unsavedBytes === 0)
      writer.update(edited(theirs, () => { theirs.getText('text').insert(0, 'newest ') }))
      await until(() => engine.rooms.counters.updates === 2)
      const half = new Y.Doc()
      Y.applyUpdate(half, engine.store.updates('room')[0]!)
      const whole = new Y.Doc()
      Y.applyUpdate(whole, Y.encodeStateAsUpdate(theirs))
      const ahead = new Y.Doc()
      Y.applyUpdate(ahead, Y.encodeStateAsUpdate(theirs))
      ahead.getMap('map').set('own', 1)
      for (const [state, doc] of Object.entries({ empty: new Y.Doc(), half, stale, whole, ahead })) {
        const peer = engine.join('room', { wire })
        const order = follow(peer, doc)
        peer.askFor(doc)
        await until(() => peer.all('step2').length > 0)
        t.ok(doc.getText('text').toString() === theirs.getText('text').toString(), `${wire}, ${compacted ? 'snapshot' : 'log'}, ${state}: complete when it receives step 2`)
        t.ok(order.isOrdered, 'in causal order')
        t.equal(peer.all('step2').length, 1)
        peer.leave()
      }
    }
  }
})

await t.test('A question that arrives while the last one is being answered is answered too', async (t) => {
  const engine = new Engine()
  await largeDocument(engine)
  await engine.joinLive()
  const peer = engine.join()
  for (let i = 0; i < 3; i++) peer.askFor(new Y.Doc())
  await until(() => peer.all('step2').length === 2)
  t.equal(peer.connection.phase, 'live')
})

await t.test('A client that joins while others write misses nothing, and delays nobody', async (t) => {
  const engine = new Engine()
  const theirs = await largeDocument(engine)
  const writer = await engine.joinLive()
  engine.store.loads.shut()
  const doc = new Y.Doc()
  const joiner = engine.join()
  const order = follow(joiner, doc)
  joiner.askFor(doc)
  const reader = new Y.Doc()
  Y.applyUpdate(reader, Y.encodeStateAsUpdate(theirs))
  const witness = engine.join()
  follow(witness, reader)
  witness.askFor(reader)
  for (let i = 0; i < 30; i++) {
    writer.update(edited(theirs, () => { theirs.getText('text').insert(i, 'a') }))
    await turn()
  }
  await until(() => reader.getText('text').toString() === theirs.getText('text').toString())
  t.equal(joiner.all('step2').length, 0)
  engine.store.loads.open()
  await until(() => joiner.all('step2').length === 1)
  writer.update(edited(theirs, () => { theirs.getText('text').insert(0, 'end') }))
  await until(() => doc.getText('text').toString() === theirs.getText('text').toString())
  t.ok(order.isOrdered)
})

await t.test('A client that joins and reads in bursts while others write misses nothing', async (t) => {
  const engine = new Engine()
  const theirs = await largeDocument(engine)
  const writer = await engine.joinLive()
  const doc = new Y.Doc()
  const joiner = engine.join()
  const order = follow(joiner, doc)
  joiner.socket.stopReading()
  joiner.askFor(doc)
  for (let i = 0; i < 20; i++) {
    writer.update(edited(theirs, () => { theirs.getText('text').insert(i, 'abc') }))
    await until(() => engine.store.appended.length === 2 + i && engine.rooms.unsavedBytes === 0)
    joiner.socket.read()
    joiner.socket.stopReading()
    await until(() => joiner.socket.buffered > 0)
  }
  joiner.socket.read()
  await until(() => joiner.all('step2').length === 1)
  t.ok(doc.getText('text').toString() === theirs.getText('text').toString())
  t.ok(order.isOrdered)
})

for (const count of isLong ? [20_000, 60_000] : [20_000]) {
  await t.test(`${count} deletions are encoded step by step, and those that arrive meanwhile are not lost`, async (t) => {
    const engine = new Engine()
    const deletes = new DeleteSet()
    for (let i = 0; i < count; i++) deletes.add(9, 3_000_000 + 5 * i, 2)
    await engine.store.append([{ document: 'room', update: Buffer.concat([Uint8Array.of(0), deletes.encode()]) }])
    const writer = await engine.joinLive()
    const readers = [engine.join(), engine.join('room', { wire: 'hocuspocus' })]
    for (const reader of readers) reader.askFor(new Y.Doc())
    await until(() => readers.every(({ connection }) => connection.phase === 'catching-up'))
    const late = new DeleteSet()
    late.add(7, 0, 3)
    writer.update(Uint8Array.of(0, ...late.encode()))
    deletes.addAll(late)
    await until(() => readers.every((reader) => reader.all('step2').length === 1))
    for (const reader of readers) {
      const updates = [...reader.all('update'), ...reader.all('step2')].map(({ bytes }) => scanUpdate(bytes))
      t.ok(updates.length > (count > 50_000 ? 3 : 2) && updates.every(({ bytes }) => bytes.length <= pieceBytes))
      t.same(DeleteSet.union(updates.map(({ deleteSet }) => deleteSet)).encode(), deletes.encode())
      t.same(reader.all('step2')[0]?.bytes, Uint8Array.of(0, 0))
    }
  })
}

await t.test('The same question is computed once for all clients that ask it', async (t) => {
  const engine = new Engine()
  const theirs = await largeDocument(engine)
  await engine.joinLive()
  const stale = new Y.Doc()
  Y.applyUpdate(stale, engine.store.updates('room')[0]!)
  engine.work.others.shut()
  const peers = Array.from({ length: 20 }, () => engine.join())
  for (const peer of peers) peer.askFor(stale)
  await until(() => engine.work.others.waiting > 0)
  for (let i = 0; i < 10; i++) await turn()
  engine.work.others.open()
  await until(() => peers.every((peer) => peer.all('step2').length === 1))
  t.equal(engine.work.differences, 1)
  Y.applyUpdate(stale, Y.mergeUpdates(peers[19]!.all('update').map(({ bytes }) => bytes)))
  t.ok(stale.getText('text').toString() === theirs.getText('text').toString())
})

await t.test('A snapshot that is replaced while it is sent is started again', async (t) => {
  const engine = new Engine()
  const theirs = await largeDocument(engine)
  ;(await engine.joinLive()).leave()
  await engine.rooms.compactionIdle()
  engine.store.reads.shut()
  const doc = new Y.Doc()
  const joiner = engine.join()
  follow(joiner, doc)
  joiner.askFor(doc)
  await until(() => engine.store.reads.waiting > 0)
  const { snapshot } = engine.store.documents.get('room')!
  const pieces = engine.store.documents.get('room')!.pieces
  await engine.store.compact('room', { replaces: snapshot!.generation, upTo: snapshot!.upTo, pieces, known: snapshot!.known })
  engine.store.reads.open()
  await until(() => joiner.all('step2').length > 0)
  t.ok(doc.getText('text').toString() === theirs.getText('text').toString())
})

await t.test('A client that stops reading receives nothing more until it has read, and then everything it missed as one update', async (t) => {
  const engine = new Engine({ maxSocketBufferBytes: 10_000 })
  const [writer, slow, quick] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  slow.socket.stopReading()
  const updates = typing(...Array.from({ length: 100 }, (_, i) => `${i} `.padEnd(1000, 'x')))
  for (const update of updates) {
    writer.update(update)
    await turn()
  }
  await until(() => quick.text.length === 100_000)
  t.equal(slow.connection.phase, 'catching-up')
  writer.awareness(5, 1, { at: 1 })
  await until(() => slow.connection.progress.owesAwareness)
  writer.awareness(5, 2, { at: 2 })
  await until(() => quick.present[5] !== undefined && JSON.stringify(quick.present[5]) === '{"at":2}')
  t.ok(slow.socket.buffered < 120_000, 'its queue does not grow with the updates')
  t.equal(engine.rooms.counters.resyncs, 1)
  const heardBefore = slow.heard.length
  slow.socket.read()
  await until(() => slow.text.length === 100_000)
  await until(() => slow.connection.phase === 'live')
  t.same(slow.present, { 5: { at: 2 } }, 'only the latest presence')
  t.ok(slow.all('update').length < quick.all('update').length || slow.heard.length > heardBefore)
  const [next] = typing('y')
  writer.update(next!)
  await until(() => slow.text.includes('y'))
})

await t.test('A client that falls behind what memory holds receives the rest from the store', async (t) => {
  const engine = new Engine({ maxSocketBufferBytes: 10_000 })
  const [writer, slow] = [await engine.joinLive(), await engine.joinLive()]
  slow.socket.stopReading()
  const updates = typing(...Array.from({ length: 40 }, () => 'x'.repeat(100_000)))
  for (const update of updates) {
    writer.update(update)
    await until(() => engine.rooms.unsavedBytes === 0)
    await turn()
  }
  await until(() => engine.rooms.counters.updates === 40)
  await until(() => engine.rooms.unsavedBytes === 0)
  t.ok(slow.socket.buffered < 500_000)
  slow.socket.read()
  await until(() => slow.text.length === 4_000_000)
})

await t.test('A client that takes nothing is closed with 4508 within a minute, however little is queued and however alive it seems', async (t) => {
  for (const bytes of [100, 50_000]) {
    const engine = new Engine({ maxSocketBufferBytes: 10_000 })
    const [writer, slow] = [await engine.joinLive(), await engine.joinLive()]
    slow.socket.stopReading()
    writer.update(typing('x'.repeat(bytes))[0]!)
    await until(() => slow.socket.buffered > 0)
    const { room } = slow
    let ms = 0
    for (; ms < 60_000 && slow.closed === undefined; ms += 3000) {
      engine.pass(3000)
      slow.socket.heard()
      writer.socket.heard()
      room.sweep(engine.now())
      t.ok(slow.closed === undefined || ms >= 45_000, 'not before its time was over')
    }
    t.equal(slow.closed, closes.tooSlow)
    t.equal(writer.closed, undefined)
  }
})

await t.test('A client that takes a little now and then stays connected, and gets more time for one large write', async (t) => {
  const engine = new Engine({ maxSocketBufferBytes: 10_000 })
  const [writer, slow] = [await engine.joinLive(), await engine.joinLive()]
  slow.socket.stopReading()
  writer.update(typing('x'.repeat(8_000_000))[0]!)
  await until(() => slow.socket.buffered > 0)
  const { room } = slow
  const passMs = (total: number): void => {
    for (let ms = 0; ms < total; ms += 3000) {
      engine.pass(3000)
      slow.socket.heard()
      room.sweep(engine.now())
    }
  }
  passMs(90_000)
  t.equal(slow.closed, undefined, '8 MB at 1 Mbit/s take 64 s')
  for (let count = 0; count < 10; count++) {
    slow.socket.taken += 1
    passMs(30_000)
  }
  t.equal(slow.closed, undefined)
  passMs(120_000)
  t.equal(slow.closed, closes.tooSlow)
})

await t.test('A silent client is closed with 4508; a listening one receives something at least every 21 s, and is not pinged', async (t) => {
  const engine = new Engine()
  const [dead, alive] = [await engine.joinLive(), await engine.joinLive()]
  const { room } = alive
  for (let ms = 0; ms <= 66_000; ms += 3000) {
    engine.pass(3000)
    alive.socket.heard()
    room.sweep(engine.now())
    t.ok(engine.now() - alive.socket.writtenAt < 21_000)
  }
  t.equal(dead.closed, closes.silent)
  t.equal(dead.socket.pings, 2)
  t.equal(alive.closed, undefined)
  t.equal(alive.socket.pings, 0)
})

await t.test('Documents that share a silent socket ping it once', async (t) => {
  const engine = new Engine()
  const { room, socket } = await engine.joinLive()
  engine.pass(25_000)
  room.sweep(engine.now())
  room.sweep(engine.now())
  t.equal(socket.pings, 1)
})

await t.test('Every room is swept, whichever part of the sweep it is in', async (t) => {
  const engine = new Engine()
  const clients = await Promise.all(Array.from({ length: 100 }, (_, at) => engine.joinLive(`room ${at}`)))
  engine.pass(61_000)
  await until(() => clients.every(({ closed }) => closed === closes.silent))
  t.equal(engine.rooms.openRooms, 0)
})

await t.test('A client that waits for a slow store receives something too', async (t) => {
  const engine = new Engine()
  await largeDocument(engine)
  const { room } = await engine.joinLive()
  engine.store.loads.shut()
  const joiner = engine.join()
  joiner.askFor(new Y.Doc())
  const before = joiner.heard.length
  engine.pass(19_000)
  room.sweep(engine.now())
  t.ok(joiner.heard.length > before)
  engine.store.loads.open()
  await until(() => joiner.all('step2').length > 0)
})

await t.test('Clients that join at about the same time share one read of the document, and receive the changes made meanwhile', async (t) => {
  const engine = new Engine()
  const theirs = await largeDocument(engine)
  const writer = await engine.joinLive()
  follow(writer, theirs)
  const before = engine.store.loaded
  engine.store.loads.shut()
  const joiners = Array.from({ length: 20 }, () => {
    const doc = new Y.Doc()
    const peer = engine.join()
    const seen = follow(peer, doc)
    peer.askFor(doc)
    return { peer, doc, seen }
  })
  writer.update(edited(theirs, () => { theirs.getText('text').insert(0, 'm') }))
  engine.store.loads.open()
  const late = new Y.Doc()
  await until(() => joiners.every(({ peer }) => peer.all('step2').length > 0))
  for (const { doc, seen } of joiners) {
    t.ok(seen.isOrdered)
    t.equal(doc.getText('text').toString(), theirs.getText('text').toString())
  }
  t.equal(engine.store.loaded, before + 1)
  // Nobody joins any more: none of it stays in memory, and the next client reads again.
  const peer = engine.join()
  follow(peer, late)
  peer.askFor(late)
  await until(() => peer.all('step2').length > 0)
  t.equal(engine.store.loaded, before + 2)
  t.equal(late.getText('text').toString(), theirs.getText('text').toString())
})
