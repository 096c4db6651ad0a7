import t from 'tap'
import * as Y from 'yjs'
import { noOtherNodes, type OtherNodes, type RoomMessage, type SharedRoom } from '../../src/sync/peers/other-nodes.ts'
import { Engine, edited, turn, typing, until } from './engine.ts'

/** Gives the document enough updates for a compaction when the last client leaves; only the last one is typed. */
async function typeMuch (engine: Engine, times = 60, room = 'room'): Promise<Y.Doc> {
  const doc = new Y.Doc()
  const updates = Array.from({ length: times }, (_, i) => edited(doc, () => { doc.getText('text').insert(i, `${i % 10}`) }))
  const last = updates.pop()!
  // Earlier visits: through a room, each would wait for a tick of its own.
  await engine.store.append(updates.map((update) => ({ document: room, update })))
  const writer = await engine.joinLive(room)
  const before = engine.store.updates(room).length
  writer.update(last)
  await until(() => engine.store.updates(room).length === before + 1)
  writer.leave()
  return doc
}

const textOf = (updates: Iterable<Uint8Array>): string => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

/** Another node, as seen by a room. */
class AnotherNode implements OtherNodes {
  readonly readEveryMs = 0
  readonly #rooms: SharedRoom[] = []
  opened (room: SharedRoom): void { this.#rooms.push(room) }
  closed = noOtherNodes.closed
  answerOpenings = noOtherNodes.answerOpenings
  send = noOtherNodes.send
  wrote = noOtherNodes.wrote
  isOpenElsewhere (): boolean { return true }
  isTurn (): boolean { return true }
  say (message: RoomMessage): void { for (const room of this.#rooms) room.received('AAAAAAAA', message) }
}

await t.test('An idle document is compacted to one piece, and opens unchanged', async (t) => {
  const engine = new Engine()
  const doc = await typeMuch(engine)
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 1)
  t.equal(textOf(engine.store.updates('room')), doc.getText('text').toString())
  t.equal((await engine.joinLive()).text, doc.getText('text').toString())
})

await t.test('Updates written during a compaction follow it in the log', async (t) => {
  const engine = new Engine()
  const doc = await typeMuch(engine)
  engine.store.compactions.shut()
  await until(() => engine.store.compactions.waiting === 1)
  const writer = await engine.joinLive()
  writer.update(edited(doc, () => { doc.getText('text').insert(0, 'during ') }))
  await until(() => engine.store.updates('room').length === 61)
  engine.store.compactions.open()
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 2)
  writer.update(edited(doc, () => { doc.getText('text').insert(0, 'after ') }))
  await until(() => engine.store.updates('room').length === 3)
  t.equal(textOf(engine.store.updates('room')), doc.getText('text').toString())
  t.equal((await engine.joinLive()).text, doc.getText('text').toString())
})

await t.test('A failed compaction changes nothing and is logged', async (t) => {
  for (const gate of ['compactions', 'reads'] as const) {
    const engine = new Engine()
    engine.work.others.fail(2, new Error('The worker has died'))
    if (gate === 'compactions') {
      engine.work.others.heal()
      engine.store.compactions.fail(1)
    }
    const doc = await typeMuch(engine)
    await engine.rooms.compactionIdle()
    t.equal(engine.store.updates('room').length, 60)
    t.match(engine.log.lines.join(), 'Failed to compact a document')
    ;(await engine.joinLive()).leave()
    await engine.rooms.compactionIdle()
    t.equal(engine.store.compacted, 0, 'it is not retried at once')
    engine.pass(61_000)
    ;(await engine.joinLive()).leave()
    await engine.rooms.compactionIdle()
    t.equal(engine.store.compacted, 1)
    t.equal(textOf(engine.store.updates('room')), doc.getText('text').toString())
  }
})

await t.test('A document that cannot be built is merged instead, and rebuilt at growing intervals', async (t) => {
  const engine = new Engine()
  const [minute, hour] = [60_000, 3_600_000]
  const visit = async (): Promise<void> => {
    await typeMuch(engine)
    await until(() => engine.rooms.openRooms === 0)
    await engine.rooms.compactionIdle()
  }
  engine.work.builds.fail()
  await visit()
  t.match([engine.work.builds.passed, engine.store.compacted, engine.store.updates('room').length], [1, 1, 1])
  t.equal(textOf(engine.store.updates('room')).length, 60)
  t.match(engine.log.lines.filter((line) => line.startsWith('Failed')), ['Failed to build a document'])
  const visits = [[0, 1], [minute, 2], [minute, 2], [minute, 3], [3 * minute, 3], [hour, 4]] as const
  for (const [passMs, attempts] of visits) {
    engine.pass(passMs)
    await visit()
    t.equal(engine.work.builds.passed, attempts, `${passMs / minute} minutes later`)
  }
  const { documentsInBackoff, counters } = engine.rooms
  t.match([engine.store.compacted, documentsInBackoff, counters.compactionFailures], [7, 1, 4])
  engine.work.builds.heal()
  engine.pass(hour)
  await visit()
  t.equal(engine.rooms.documentsInBackoff, 0)
})

await t.test('A document whose compaction has failed before waits for the others', async (t) => {
  const engine = new Engine()
  engine.work.builds.fail(1)
  await typeMuch(engine)
  await engine.rooms.compactionIdle()
  engine.pass(61_000)
  engine.work.builds.shut()
  for (const name of ['busy', 'room', 'other']) await typeMuch(engine, 60, name)
  await until(() => engine.work.builds.waiting === 1)
  engine.work.builds.openOnce()
  await until(() => engine.store.compacted === 2 && engine.work.builds.waiting === 1)
  engine.work.builds.openOnce()
  await until(() => engine.store.compacted === 3)
  t.match([engine.store.updates('other').length, engine.store.updates('room').length], [1, 61])
  engine.work.builds.open()
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 1)
})

await t.test('The sizes that the limit is based on are updated, even if the room opens meanwhile', async (t) => {
  const engine = new Engine()
  await typeMuch(engine)
  engine.work.others.shut()
  await until(() => engine.work.others.waiting === 1)
  engine.store.loads.shut()
  const peer = engine.join()
  engine.work.others.open()
  await engine.rooms.compactionIdle()
  engine.store.loads.open()
  await until(() => peer.heard.length > 0)
  const { sizes } = peer.room.content
  const stored = engine.store.updates('room').reduce((sum, update) => sum + update.length, 0)
  t.equal(sizes.snapshotBytes + sizes.logBytes, stored)
  t.equal(sizes.logEntries, 0)
})

await t.test('A thousand reconnects of a client without changes add nothing', async (t) => {
  const engine = new Engine()
  const doc = await typeMuch(engine)
  const witness = await engine.joinLive()
  const before = engine.store.appended.length
  witness.update(edited(doc, () => { doc.getText('text').delete(3, 10) }))
  await until(() => engine.store.appended.length === before + 1)
  for (let i = 0; i < 1000; i++) {
    const peer = engine.join()
    peer.askFor(doc)
    peer.say({ type: 'sync-step-2', update: Y.encodeStateAsUpdate(doc, peer.all('step1')[0]!.bytes) })
    peer.leave()
  }
  await turn()
  t.equal(engine.store.appended.length, before + 1)
  t.equal(engine.rooms.counters.repeats, 1000)
  const [more] = typing('more')
  witness.update(more!)
  await until(() => engine.store.appended.length === before + 2)
  t.pass()
})

await t.test('A document that is left while it is being compacted is examined again', async (t) => {
  const engine = new Engine()
  const doc = await typeMuch(engine)
  engine.store.compactions.shut()
  await until(() => engine.store.compactions.waiting === 1)
  const writer = await engine.joinLive()
  writer.update(edited(doc, () => { doc.getText('text').insert(0, 'x'.repeat(70_000)) }))
  await until(() => engine.store.updates('room').length === 61)
  writer.leave()
  engine.store.compactions.open()
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 1)
  t.equal(textOf(engine.store.updates('room')), doc.getText('text').toString())
})

for (const change of ['insertion', 'deletion'] as const) {
  await t.test(`A compaction that includes another node's ${change}, unknown to this node, hides it from no client`, async (t) => {
    const engine = new Engine()
    const doc = new Y.Doc()
    const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
    writer.update(edited(doc, () => { doc.getText('text').insert(0, 'one two three ') }))
    await until(() => engine.store.updates('room').length === 1)
    // Its node cannot report it: the link between the nodes is cut.
    const theirs = edited(doc, () => { change === 'deletion' ? doc.getText('text').delete(4, 4) : doc.getText('text').insert(4, 'and ') })
    await engine.store.append([{ document: 'room', update: theirs }])
    writer.update(edited(doc, () => { doc.getText('text').insert(0, 'x'.repeat(70_000)) }))
    await until(() => engine.store.compacted === 1)
    await until(() => reader.text === doc.getText('text').toString())
    t.equal(engine.rooms.counters.logReads, 1)
  })
}

await t.test('Missed updates are read, even if other nodes report them stored before the read succeeds', async (t) => {
  const otherNodes = new AnotherNode()
  const engine = new Engine({}, undefined, otherNodes)
  const doc = new Y.Doc()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  writer.update(edited(doc, () => { doc.getText('text').insert(0, 'here ') }))
  await until(() => engine.store.updates('room').length === 1)
  await engine.store.append([{ document: 'room', update: edited(doc, () => { doc.getText('text').insert(5, 'there') }) }])
  engine.store.loads.fail()
  otherNodes.say({ type: 'read' })
  await until(() => engine.log.lines.some((line) => line.startsWith('Failed to read what other nodes have stored')))
  otherNodes.say({ type: 'stored', unsaved: 0, seqs: [2] })
  engine.store.loads.heal()
  await until(() => reader.text === 'here there')
  t.pass()
})

await t.test('A client that does not read delays a compaction, but not forever', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  const doc = new Y.Doc()
  const write = async (bytes: number): Promise<void> => {
    const { ticks } = engine.rooms.counters
    writer.update(edited(doc, () => { doc.getText('text').insert(doc.getText('text').length, 'x'.repeat(bytes)) }))
    await until(() => engine.rooms.counters.ticks > ticks)
  }
  reader.socket.stopReading()
  await write(70_000)
  t.equal(reader.connection.phase, 'catching-up')
  await write(70_000)
  await until(() => engine.rooms.unsavedBytes === 0)
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 2, 'it is being read')
  await write(120_000)
  await write(120_000)
  await until(() => engine.rooms.unsavedBytes === 0)
  await engine.rooms.compactionIdle()
  t.equal(engine.store.updates('room').length, 1 + Math.floor(doc.getText('text').length / 262_144))
  t.equal(textOf(engine.store.updates('room')), doc.getText('text').toString())
  reader.socket.read()
  await until(() => reader.text === doc.getText('text').toString())
})

await t.test('Short visits do not rewrite a large document each time', async (t) => {
  const engine = new Engine()
  const visit = async (bytes: number, times: number): Promise<void> => {
    const writer = await engine.joinLive()
    const doc = writer.doc
    for (let i = 0; i < times; i++) {
      const { ticks } = engine.rooms.counters
      writer.update(edited(doc, () => { doc.getText('text').insert(0, 'x'.repeat(bytes)) }))
      await until(() => engine.rooms.counters.ticks > ticks)
    }
    writer.leave()
    await until(() => engine.rooms.openRooms === 0)
    await engine.rooms.compactionIdle()
  }
  await visit(120_000, 30)
  const pieces = engine.store.updates('room').length
  await visit(1, 60)
  t.equal(engine.store.updates('room').length, pieces + 60)
  await visit(1, 60)
  t.ok(engine.store.updates('room').length <= pieces, 'after enough of them it is compacted')
})
