import t from 'tap'
import * as Y from 'yjs'
import { heavyUpdateBytes } from '../../src/sync/limits.ts'
import { noOtherNodes } from '../../src/sync/peers/other-nodes.ts'
import { Engine, edited, typing, until } from './engine.ts'
import { MemoryStore } from './memory-store.ts'

/** Stores an update as a write over HTTP does: without a room. */
async function write (engine: Engine, update: Uint8Array, logEntries = 1): Promise<void> {
  const [seq = 0] = await engine.store.append([{ document: 'room', update }])
  engine.rooms.wrote('room', seq, { snapshotBytes: 0, logBytes: update.length, logEntries })
}

await t.test('A write is sent at once to everybody who has the document open, on both protocols', async (t) => {
  const engine = new Engine()
  const peers = [await engine.joinLive(), await engine.joinLive('room', { wire: 'hocuspocus' }), await engine.joinLive('room', { canEdit: false })]
  const [one, two] = typing('one ', 'two ')
  for (const [update, text] of [[one, 'one '], [two, 'one two ']] as const) {
    await write(engine, update ?? new Uint8Array())
    await until(() => peers.every((peer) => peer.text === text))
  }
  t.pass('a document that was never stored before, too')
  t.equal(engine.store.appended.length, 2, 'and no room stores it again')
})

await t.test('A write while the document is being opened is not missed', async (t) => {
  const engine = new Engine()
  const [one, two] = typing('one ', 'two ')
  engine.store.loads.shut()
  const early = engine.join()
  early.askFor(new Y.Doc())
  await write(engine, one ?? new Uint8Array())
  await until(() => engine.store.loads.waiting === 1)
  // The room has read the document, and does not know it yet.
  engine.store.loads.openOnce()
  await write(engine, two ?? new Uint8Array())
  engine.store.loads.open()
  await until(() => early.text === 'one two ')
  t.pass()
})

await t.test('A write between those of people is read once, and everybody has everything', async (t) => {
  const engine = new Engine()
  const [person, reader] = [await engine.joinLive(), await engine.joinLive()]
  const doc = new Y.Doc()
  const other = new Y.Doc()
  for (let at = 0; at < 5; at++) {
    person.update(edited(doc, () => { doc.getText('text').insert(0, 'p') }))
    await write(engine, edited(other, () => { other.getText('text').insert(0, 'w') }))
  }
  await until(() => reader.text.length === 10 && person.all('update').length > 0)
  await engine.rooms.flushed()
  const loaded = engine.store.loaded
  const { lastSeq = 0 } = await engine.store.load('room') ?? {}
  engine.rooms.wrote('room', lastSeq, { snapshotBytes: 0, logBytes: 1, logEntries: 1 })
  t.equal(engine.store.loaded, loaded + 1, 'what a room has it does not read again')
})

await t.test('A large write arrives too, and one that could not be read is read later', async (t) => {
  const engine = new Engine()
  const reader = await engine.joinLive()
  const text = 'x'.repeat(2 * heavyUpdateBytes)
  engine.store.loads.fail(1)
  await write(engine, typing(text)[0] ?? new Uint8Array())
  await until(() => reader.text === text)
  t.ok(engine.log.lines.includes('Failed to read what other nodes have stored; retrying'))
})

await t.test('Other nodes hear of a write, also if nobody has the document open here', async (t) => {
  const heard: Array<[name: string, seq: number]> = []
  const otherNodes = { ...noOtherNodes, wrote: (name: string, seq: number) => { heard.push([name, seq]) } }
  const engine = new Engine({}, new MemoryStore(), otherNodes)
  await write(engine, typing('one')[0] ?? new Uint8Array())
  t.same(heard, [['room', 1]])
})

await t.test('A document that is only written over HTTP is compacted, whether it is open or not', async (t) => {
  const doc = new Y.Doc()
  for (const isOpen of [false, true]) {
    const engine = new Engine()
    const content = isOpen ? (await engine.joinLive('room', { canEdit: false })).room.content : undefined
    for (let at = 1; engine.store.compacted === 0; at++) {
      await write(engine, edited(doc, () => { doc.getText('text').insert(0, 'x') }), at)
      await until(() => content === undefined || content.sizes.logEntries === at || engine.store.compacted > 0)
    }
    t.pass(isOpen ? 'open' : 'not open')
  }
})
