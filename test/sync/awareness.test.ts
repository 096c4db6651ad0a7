import t from 'tap'
import * as Y from 'yjs'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { Engine, until, type Peer } from './engine.ts'

/** Lets a peer send awareness by means of y-protocols, as a provider does. */
function speaking (t: { teardown (undo: () => unknown): unknown }, peer: Peer, clientId?: number): Awareness {
  const doc = new Y.Doc()
  if (clientId !== undefined) doc.clientID = clientId
  const awareness = new Awareness(doc)
  t.teardown(() => { awareness.destroy() })
  awareness.on('update', ({ added, updated, removed }: Record<string, number[]>, origin: unknown) => {
    if (origin === 'server') return
    peer.sendAwareness(encodeAwarenessUpdate(awareness, [added, updated, removed].flatMap((ids) => ids ?? [])))
  })
  peer.onHeard = (heard) => { if (heard.type === 'awareness') applyAwarenessUpdate(awareness, heard.bytes, 'server') }
  return awareness
}

await t.test('Presence appears, changes and disappears with its connection', async (t) => {
  const engine = new Engine()
  const [a, b] = [await engine.joinLive(), await engine.joinLive()]
  a.awareness(1, 1, { name: 'A' })
  await until(() => b.present[1] !== undefined)
  t.same(a.present, { 1: { name: 'A' } }, 'its own state is returned, so that a lone client receives something')
  a.awareness(1, 2, { name: 'AA' })
  await until(() => JSON.stringify(b.present) === '{"1":{"name":"AA"}}')
  a.leave()
  await until(() => b.present[1] === undefined)
  t.same((await engine.joinLive()).present, {})
})

await t.test('A connection cannot speak for another user\'s client', async (t) => {
  const engine = new Engine()
  const [a, mallory, witness] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  a.awareness(1, 1, { name: 'A' })
  await until(() => witness.present[1] !== undefined)
  mallory.awareness(1, 99, { name: 'not A' })
  mallory.awareness(1, 100, null)
  mallory.awareness(2, 1, { name: 'M' })
  await until(() => witness.present[2] !== undefined)
  t.same(witness.present, { 1: { name: 'A' }, 2: { name: 'M' } })
  t.equal(engine.rooms.counters.awarenessDropped, 2)
  mallory.leave()
  await until(() => witness.present[2] === undefined)
  t.same(witness.present, { 1: { name: 'A' } })
})

await t.test('A reconnected user takes over, and the end of the old connection does not remove the presence', async (t) => {
  for (const member of [{ userId: 'u' }, { sessionKey: 's' }]) {
    const engine = new Engine()
    const [old, witness] = [await engine.joinLive('room', member), await engine.joinLive()]
    old.awareness(1, 5, { tab: 'old' })
    await until(() => witness.present[1] !== undefined)
    const back = await engine.joinLive('room', member)
    back.awareness(1, 6, { tab: 'new' })
    await until(() => JSON.stringify(witness.present[1]) === '{"tab":"new"}')
    old.leave()
    witness.awareness(2, 1, {})
    await until(() => witness.present[2] !== undefined)
    t.same(witness.present[1], { tab: 'new' })
  }
})

await t.test('An anonymous client whose old connection has long been silent takes over too', async (t) => {
  const engine = new Engine()
  const [old, witness] = [await engine.joinLive(), await engine.joinLive()]
  old.awareness(1, 5, { tab: 'old' })
  await until(() => witness.present[1] !== undefined)
  const back = await engine.joinLive()
  back.awareness(1, 6, { tab: 'new' })
  t.equal(engine.rooms.counters.awarenessDropped, 1)
  engine.pass(21_000)
  back.awareness(1, 7, { tab: 'new' })
  await until(() => JSON.stringify(witness.present[1]) === '{"tab":"new"}')
  t.pass()
})

await t.test('A client that reconnects with a clock that others have already seen is visible again', async (t) => {
  const engine = new Engine()
  const witnessPeer = await engine.joinLive()
  const witness = speaking(t, witnessPeer)
  const first = await engine.joinLive()
  const awareness = speaking(t, first, 77)
  awareness.setLocalState({ name: 'A' })
  await until(() => witness.getStates().has(77))
  first.leave()
  await until(() => !witness.getStates().has(77))
  // A provider that reconnects repeats its last state, with the same clock.
  const back = await engine.joinLive()
  back.onHeard = (heard) => { if (heard.type === 'awareness') applyAwarenessUpdate(awareness, heard.bytes, 'server') }
  back.sendAwareness(encodeAwarenessUpdate(awareness, [77]))
  await until(() => witness.getStates().has(77))
  t.same(witness.getStates().get(77), { name: 'A' })
  await until(() => awareness.meta.get(77)?.clock === witness.meta.get(77)?.clock)
  awareness.on('update', ({ added, updated, removed }: Record<string, number[]>, origin: unknown) => {
    if (origin !== 'server') back.sendAwareness(encodeAwarenessUpdate(awareness, [added, updated, removed].flatMap((ids) => ids ?? [])))
  })
  awareness.setLocalState({ name: 'AA' })
  await until(() => JSON.stringify(witness.getStates().get(77)) === '{"name":"AA"}')
})

await t.test('A state that is not renewed for 30 s is removed; a renewed one stays', async (t) => {
  const engine = new Engine()
  const [a, b, witness] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  a.awareness(1, 1, { name: 'A' })
  b.awareness(2, 1, { name: 'B' })
  await until(() => Object.keys(witness.present).length === 2)
  const { room } = witness
  engine.pass(20_000)
  b.awareness(2, 2, { name: 'B' })
  await until(() => witness.all('awareness').at(-1)?.entries[0]?.clock === 2)
  engine.pass(12_000)
  room.sweep(engine.now())
  await until(() => witness.present[1] === undefined)
  t.same(witness.present, { 2: { name: 'B' } })
  t.same((await engine.joinLive()).present, { 2: { name: 'B' } })
  a.awareness(1, 1, { name: 'A' })
  await until(() => witness.present[1] !== undefined)
  t.pass('it can return with its old clock')
})

await t.test('Clients that have left are forgotten after a while', async (t) => {
  const engine = new Engine()
  const witness = await engine.joinLive()
  const { room } = witness
  for (let i = 1; i <= 50; i++) {
    const peer = await engine.joinLive()
    peer.awareness(i, 1, {})
    peer.leave()
  }
  t.equal(room.awareness.all().length, 50)
  engine.pass(121_000)
  witness.socket.heard()
  room.sweep(engine.now())
  t.equal(room.awareness.all().length, 0)
})

await t.test('The sizes and numbers of states are bounded', async (t) => {
  const engine = new Engine({ maxAwarenessBytes: 1000 })
  const [a, witness] = [await engine.joinLive(), await engine.joinLive()]
  a.awareness(1, 1, 'x'.repeat(2000))
  a.awareness(2, 1, '日'.repeat(400))
  for (let i = 3; i < 100; i++) a.awareness(i, 1, {})
  await until(() => Object.keys(witness.present).length === 32)
  t.notOk(witness.present[1])
  t.notOk(witness.present[2], 'bytes are counted, not characters')
  t.equal(engine.rooms.counters.awarenessDropped, 2 + 97 - 32)
})

await t.test('A state that no client could read is not relayed, and its sender is disconnected', async (t) => {
  const engine = new Engine({ maxAwarenessBytes: 1000 })
  const [a, b, witness] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  a.announce([{ clientId: 1, clock: 1, state: '{}' }, { clientId: 2, clock: 1, state: '{"unclosed":' }])
  t.equal(a.closed?.code, 1007)
  b.announce([{ clientId: 3, clock: 1, state: '['.repeat(2000) }])
  t.equal(b.closed, undefined, 'too large: not decoded')
  b.awareness(4, 1, {})
  await until(() => 4 in witness.present)
  t.same(Object.keys(witness.present), ['4'])
})

await t.test('Many changes in one tick are sent as one message, with each client once', async (t) => {
  const engine = new Engine()
  const [a, b, witness] = [await engine.joinLive(), await engine.joinLive(), await engine.joinLive()]
  const before = witness.all('awareness').length
  for (let clock = 1; clock <= 20; clock++) {
    a.awareness(1, clock, { clock })
    b.awareness(2, clock, { clock })
  }
  await until(() => Object.keys(witness.present).length === 2)
  t.equal(witness.all('awareness').length, before + 1)
  t.same(witness.present, { 1: { clock: 20 }, 2: { clock: 20 } })
})

await t.test('A client that queries awareness receives it', async (t) => {
  const engine = new Engine()
  const a = await engine.joinLive()
  a.say({ type: 'query-awareness' })
  t.same(a.all('awareness').at(-1)?.entries, [])
  a.awareness(1, 1, { name: 'A' })
  a.say({ type: 'query-awareness' })
  t.same(a.all('awareness').at(-1)?.entries.map(({ state }) => state), ['{"name":"A"}'])
})

await t.test('Presence is never stored, and does not keep a room open', async (t) => {
  const engine = new Engine()
  const a = await engine.joinLive()
  a.awareness(1, 1, {})
  a.leave()
  t.equal(engine.rooms.openRooms, 0)
  t.same(engine.store.appended, [])
})
