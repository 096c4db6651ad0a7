import t from 'tap'
import * as Y from 'yjs'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { Engine, edited, turn, typing, until } from './engine.ts'

const nothing = Uint8Array.of(0, 0)

await t.test('An update reaches all other connections, and the store', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  writer.update(typing('hello')[0]!)
  await until(() => reader.text === 'hello')
  await until(() => engine.store.updates('room').length === 1)
  t.same(writer.all('update'), [], 'its sender already has it')
})

await t.test('Updates that arrive in one turn of the event loop are sent as one update, in one write, and stored as one', async (t) => {
  const engine = new Engine()
  const [writer, other, reader] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  const writes = reader.socket.writes
  for (const update of typing('a', 'b', 'c')) writer.update(update)
  for (const update of typing('x', 'y')) other.update(update)
  writer.awareness(7, 1, { name: 'W' })
  await until(() => reader.text.length === 5)
  t.equal(reader.socket.writes, writes + 1)
  t.equal(reader.all('update').length, 1)
  t.same(reader.present, { 7: { name: 'W' } })
  await until(() => engine.rooms.unsavedBytes === 0)
  t.equal(engine.store.updates('room').length, 1)
})

await t.test('An idle room does not wait: the update is sent one turn later', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  engine.pass(1000)
  writer.update(typing('now')[0]!)
  await turn()
  await turn()
  t.equal(reader.text, 'now')
})

await t.test('A busy room delays its ticks, and then sends everything it has gathered', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  engine.pass(1000)
  const updates = typing(...Array.from({ length: 200 }, (_, i) => `${i} `))
  const ticksBefore = engine.rooms.counters.ticks
  for (const update of updates) {
    writer.update(update)
    await turn()
  }
  await until(() => reader.text.endsWith('199 '))
  t.ok(engine.rooms.counters.ticks - ticksBefore < updates.length, 'fewer ticks than updates')
  t.equal(reader.text, updates.map((_, i) => `${i} `).join(''))
})

await t.test('Updates of one client arrive in order', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  const doc = new Y.Doc()
  reader.onHeard = (heard) => {
    if (heard.type !== 'update') return
    Y.applyUpdate(doc, heard.bytes)
    t.equal(doc.store.pendingStructs, null, 'nothing precedes what it depends on')
  }
  for (const [i, update] of typing(...Array.from({ length: 50 }, (_, i) => `${i} `)).entries()) {
    writer.update(update)
    if (i % 10 === 7) await turn()
  }
  await until(() => doc.getText('text').toString().endsWith('49 '))
})

await t.test('An update without new content is neither stored nor sent', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  const [first, second] = typing('a', 'b')
  writer.update(first!)
  await until(() => reader.text === 'a')
  for (let i = 0; i < 5; i++) writer.update(first!)
  writer.say({ type: 'sync-step-2', update: nothing })
  writer.update(second!)
  await until(() => reader.text === 'ab')
  t.equal(reader.all('update').length, 2)
  await until(() => engine.rooms.unsavedBytes === 0)
  t.equal(engine.store.updates('room').length, 2)
  t.equal(engine.rooms.counters.repeats, 6)
})

await t.test('Rooms do not receive each other\'s updates', async (t) => {
  const engine = new Engine()
  const [here, there] = [await engine.joinLive('here'), await engine.joinLive('there')]
  const witness = await engine.joinLive('there')
  const before = there.heard.length
  here.update(typing('secret')[0]!)
  here.awareness(1, 1, {})
  await until(() => engine.store.updates('here').length === 1)
  witness.awareness(2, 1, {})
  await until(() => there.heard.length > before)
  t.same(there.present, { 2: {} })
  t.equal(there.text, '')
  t.same(engine.store.updates('there'), [])
})

await t.test('Both protocols share a room', async (t) => {
  const engine = new Engine()
  const [plain, addressed] = [await engine.joinLive(), await engine.joinLive('room', { wire: 'hocuspocus' })]
  plain.update(typing('from y-websocket. ')[0]!)
  await until(() => addressed.text !== '')
  addressed.update(typing('from Hocuspocus. ')[0]!)
  await until(() => plain.text !== '')
  t.match(plain.text, 'from Hocuspocus')
})

await t.test('SyncStatus is sent once the store has the update, not before, and once per message', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive('room', { wire: 'hocuspocus' }), await engine.joinLive()]
  engine.store.appends.shut()
  const [first, second] = typing('a', 'b')
  writer.update(first!)
  await until(() => reader.text === 'a')
  writer.update(second!)
  writer.update(second!)
  writer.say({ type: 'sync-step-2', update: first! })
  await until(() => reader.text === 'ab')
  writer.say({ type: 'sync-step-2', update: second! })
  for (let i = 0; i < 10; i++) await turn()
  t.same(writer.all('status'), [], 'nothing is acknowledged while the store has not answered')
  engine.store.appends.openOnce()
  await until(() => writer.all('status').length === 1)
  for (let i = 0; i < 10; i++) await turn()
  t.equal(writer.all('status').length, 1, 'a repeat of a waiting update is not acknowledged before its first copy is stored')
  engine.store.appends.open()
  await until(() => writer.all('status').length === 5)
  t.ok(writer.all('status').every(({ stored }) => stored))
  writer.update(first!)
  t.equal(writer.all('status').length, 6, 'a repeat of a stored update is acknowledged at once')
  t.same(reader.all('status'), [], 'y-websocket has no such message')
})

await t.test('An update with a gap is kept and relayed, and its sender is asked for the missing part', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  const [first, second, third] = typing('a', 'b', 'c')
  writer.update(first!)
  await until(() => reader.text === 'a')
  const asked = writer.all('step1').length
  writer.update(third!)
  const question = writer.all('step1').at(-1)
  t.equal(writer.all('step1').length, asked + 1)
  t.same([...Y.decodeStateVector(question!.bytes).values()], [1], 'from where the gap begins')
  await until(() => engine.store.updates('room').length === 2)
  const late = await engine.joinLive()
  t.equal(late.text, 'a')
  writer.say({ type: 'sync-step-2', update: second! })
  await until(() => reader.text === 'abc' && late.text === 'abc')
  t.equal(writer.all('step1').length, asked + 1, 'no more questions')
})

await t.test('A read-only connection is closed for a malformed answer to the initial sync, on either protocol', async (t) => {
  for (const wire of ['y-websocket', 'hocuspocus'] as const) {
    const engine = new Engine()
    const reader = await engine.joinLive('room', { wire, canEdit: false })
    reader.say({ type: 'sync-step-2', update: Uint8Array.of(1) })
    await until(() => reader.closed !== undefined)
    t.equal(engine.rooms.counters.refused, 0, wire)
  }
})

await t.test('A read-only connection changes nothing, whatever it sends', async (t) => {
  for (const wire of ['y-websocket', 'hocuspocus'] as const) {
    const engine = new Engine()
    const [writer, reader] = [await engine.joinLive(), await engine.joinLive('room', { wire, canEdit: false })]
    const theirs = typing('theirs')[0]!
    writer.update(theirs)
    await until(() => reader.text === 'theirs')
    await until(() => engine.rooms.unsavedBytes === 0)
    const before = writer.heard.length
    const [mine] = typing('mine')
    const heavy = typing('x'.repeat(300_000))[0]!
    reader.update(mine!)
    reader.say({ type: 'sync-step-2', update: mine! })
    reader.say({ type: 'sync-step-2', update: theirs })
    reader.say({ type: 'sync-step-2', update: heavy })
    await until(() => !reader.socket.paused)
    reader.update(heavy)
    const deleting = new Y.Doc()
    Y.applyUpdate(deleting, theirs)
    reader.update(edited(deleting, () => { deleting.getText('text').delete(0, 3) }))
    reader.awareness(9, 1, { reading: true })
    await until(() => writer.all('awareness').length > 0)
    t.same(writer.heard.slice(before).map(({ type }) => type), ['awareness'], `${wire}: nothing but its presence is relayed`)
    t.same(engine.store.updates('room'), [theirs])
    if (wire === 'hocuspocus') t.same(reader.all('status').map(({ stored }) => stored), [false, false, true, false, false, false])
    t.equal(reader.closed, undefined, 'y-websocket answers every step 1, so it must not be closed for that')
    const late = await engine.joinLive()
    t.equal(late.text, 'theirs')
  }
})

await t.test('Invalid bytes close only their sender, and nobody receives them', async (t) => {
  const engine = new Engine()
  const [bad, good] = [await engine.joinLive(), await engine.joinLive()]
  const before = good.heard.length
  bad.update(Uint8Array.of(1, 2, 3))
  t.equal(bad.closed?.code, 1007)
  const heavy = await engine.joinLive()
  heavy.update(new Uint8Array(200_000).fill(255))
  await until(() => heavy.closed !== undefined)
  t.equal(heavy.closed?.code, 1007)
  const asking = engine.join()
  await until(() => asking.heard.length > 0)
  asking.say({ type: 'sync-step-1', stateVector: Uint8Array.of(9, 9) })
  t.equal(asking.closed?.code, 1007)
  const late = await engine.joinLive()
  late.update(typing('fine')[0]!)
  await until(() => good.text === 'fine')
  t.same(good.heard.slice(before).map(({ type }) => type), ['update'])
  await until(() => engine.rooms.unsavedBytes === 0)
  t.equal(engine.store.updates('room').length, 1)
})

await t.test('Frames after the one that ended a connection are ignored', async (t) => {
  const engine = new Engine()
  engine.store.loads.shut()
  const bad = engine.join()
  bad.update(Uint8Array.of(1, 2, 3))
  bad.update(typing('after')[0]!)
  bad.awareness(1, 1, { ghost: true })
  bad.askFor(new Y.Doc())
  engine.store.loads.open()
  await until(() => bad.closed !== undefined)
  const late = await engine.joinLive()
  t.equal(bad.connection.phase, 'ended')
  t.equal(late.text, '')
  t.same(late.present, {})
  late.awareness(2, 1, {})
  await until(() => Object.keys(late.present).length > 0)
  t.same(late.present, { 2: {} })
  t.same(engine.store.updates('room'), [])
})

await t.test('If two clients share one client id, the first is stored, both are acknowledged, and readers see the same', async (t) => {
  const engine = new Engine()
  const reader = await engine.joinLive()
  const texts = ['first text', 'OTHER TEXT', 'third and longer']
  for (const [i, text] of texts.entries()) {
    const doc = new Y.Doc()
    doc.clientID = 4711
    doc.getText('text').insert(0, text)
    const twin = await engine.joinLive()
    twin.update(Y.encodeStateAsUpdate(doc))
    twin.say({ type: 'stored-question', number: i })
    await until(() => twin.all('stored').some(({ isStored }) => isStored))
  }
  await until(() => reader.text.length === 16)
  t.equal(reader.text, 'first text' + 'third and longer'.slice(10))
  t.equal((await engine.joinLive()).text, reader.text, 'a later reader')
  const compacted = new Y.Doc()
  for (const piece of snapshotPieces(engine.store.updates('room'), 1000).pieces) Y.applyUpdate(compacted, piece)
  t.equal(compacted.getText('text').toString(), reader.text, 'a reader after compaction')
  const other = await engine.joinLive()
  other.update(typing('!')[0]!)
  await until(() => reader.text.length === 17)
})
