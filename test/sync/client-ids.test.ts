import t from 'tap'
import { AwarenessUpdate, encodeAwareness, type AwarenessEntry } from '../../src/protocol/awareness.ts'
import { AwarenessTable, type Presence, type StateSender } from '../../src/sync/presence/awareness-table.ts'
import { personOf } from '../../src/sync/presence/claim.ts'
import { PresenceMessages } from '../../src/sync/presence/presence-messages.ts'
import { RememberedClients } from '../../src/sync/presence/remembered-clients.ts'
import { Engine, until } from './engine.ts'
import { decodeHeard } from '../clients/heard.ts'

const said = (entries: readonly AwarenessEntry[]): AwarenessUpdate => new AwarenessUpdate(encodeAwareness(entries))
const states = (from: number, count: number, state = '{}'): AwarenessUpdate => said(Array.from({ length: count }, (_, i) => ({ clientId: from + i, clock: 1, state })))

for (const owner of [{ userId: 'ada' }, { sessionKey: 'ada' }]) {
  await t.test(`A client id is reserved for its owner during a short absence, by ${Object.keys(owner)[0]}`, async (t) => {
    const engine = new Engine()
    const [reader, anonymous, witness] = [await engine.joinLive('room', { userId: 'mallory', canEdit: false }), await engine.joinLive(), await engine.joinLive()]
    const first = await engine.joinLive('room', owner)
    first.awareness(7, 5, { name: 'Ada' })
    await until(() => witness.present[7] !== undefined)
    first.leave()
    engine.pass(100_000)
    const late = await engine.joinLive('room', { userId: 'mallory' })
    for (const peer of [reader, anonymous, late]) for (const state of [null, { name: 'fake' }]) peer.awareness(7, 20, state)
    const back = await engine.joinLive('room', owner)
    back.awareness(7, 1, { name: 'Ada is back' })
    for (const peer of [reader, anonymous, late]) peer.awareness(7, 30, { name: 'fake' })
    witness.awareness(1, 1, {})
    await until(() => witness.present[1] !== undefined)
    t.same(witness.present[7], { name: 'Ada is back' })
    t.notOk(witness.all('awareness').some(({ entries }) => entries.some(({ state }) => state.includes('fake'))), 'nobody received anything else')
    back.leave()
    engine.pass(121_000)
    late.awareness(7, 40, { name: 'mine now' })
    witness.awareness(1, 2, { after: true })
    await until(() => JSON.stringify(witness.present[1]) === '{"after":true}')
    t.same(witness.present[7], { name: 'mine now' }, 'after two minutes it is anybody\'s')
  })
}

await t.test('The owner is the person who claimed first, even if the room receives that claim last', async (t) => {
  const engine = new Engine()
  const [rival, witness] = [await engine.joinLive('room', { userId: 'mallory' }), await engine.joinLive()]
  rival.awareness(7, 9, { name: 'fake' })
  await until(() => witness.present[7] !== undefined)
  const { room } = witness
  const entry = { clientId: 7, clock: 5, state: '{"name":"Ada"}', person: personOf('ada', undefined), since: Date.now() - 60_000, leftMs: 0 }
  room.remote.received('NODE', { type: 'introduction', lastSeq: 0, entries: [entry] })
  await until(() => JSON.stringify(witness.present[7]) === '{"name":"Ada"}')
  rival.awareness(7, 99, { name: 'fake again' })
  rival.awareness(8, 1, {})
  await until(() => witness.present[8] !== undefined)
  t.same(witness.present[7], { name: 'Ada' })
  room.remote.received('NODE', { type: 'awareness', entries: [{ ...entry, clientId: 8, state: 'null' }] })
  await until(() => witness.present[8] === undefined)
  rival.awareness(8, 99, { name: 'fake again' })
  rival.awareness(9, 1, {})
  await until(() => witness.present[9] !== undefined)
  t.notOk(witness.present[8], 'nor for an id whose owner has left')
  rival.leave()
  await until(() => witness.present[9] === undefined)
  t.same(witness.present[7], { name: 'Ada' }, 'nor does the rival take it along')
  room.remote.left('NODE', false)
  await until(() => witness.present[7] === undefined)
  t.match(room.remote.introduce()[0], { entries: [{ clientId: 7, state: 'null', person: personOf('ada', undefined), since: entry.since }, {}, {}] }, 'a node that opens the room learns the owner')
})

await t.test('A client id is reserved for its owner while the room is empty', async (t) => {
  const engine = new Engine()
  const alone = await engine.joinLive('room', { userId: 'ada' })
  alone.awareness(7, 5, { name: 'Ada' })
  await until(() => alone.present[7] !== undefined)
  alone.leave()
  await until(() => engine.rooms.openRooms === 0)
  engine.pass(60_000)
  const rival = await engine.joinLive('room', { userId: 'mallory' })
  rival.awareness(7, 6, { name: 'fake' })
  rival.awareness(8, 1, {})
  await until(() => rival.present[8] !== undefined)
  t.equal(rival.present[7], undefined)
  rival.leave()
  await until(() => engine.rooms.openRooms === 0)
  const back = await engine.joinLive('room', { userId: 'ada' })
  back.awareness(7, 1, { name: 'Ada is back' })
  await until(() => back.present[7] !== undefined)
  t.same(back.present[7], { name: 'Ada is back' })
  t.ok((back.all('awareness').at(-1)?.entries.find(({ clientId }) => clientId === 7)?.clock ?? 0) > 5, 'with a clock that clients accept')
  back.leave()
  await until(() => engine.rooms.openRooms === 0)
  engine.pass(121_000)
  const late = await engine.joinLive('room', { userId: 'mallory' })
  late.awareness(7, 40, { name: 'mine now' })
  await until(() => late.present[7] !== undefined)
  t.same(late.present[7], { name: 'mine now' }, 'after two minutes it is anybody\'s')
})

await t.test('Released rooms remember a bounded number of clients, and nobody can make them forget an owner', async (t) => {
  const remembered = new RememberedClients()
  const left = (userId: string | undefined, from: number, count: number): Presence[] => {
    const table = new AwarenessTable()
    const sender: StateSender = { person: personOf(userId, undefined), joinedAt: 0 }
    table.apply(states(from, count), sender, 1000, 1)
    table.leave(sender, 2)
    return table.departed()
  }
  remembered.keep('ada', left('ada', 7, 1), 2)
  for (let room = 0; room < 64; room++) remembered.keep(`mallory ${room}`, left('mallory', 1000, 32), 3)
  t.equal(remembered.of('mallory 31', 4).length, 0, 'her own first rooms are evicted')
  t.equal(remembered.of('mallory 32', 4).length, 32)
  for (let room = 0; room < 4000; room++) remembered.keep(`anonymous ${room}`, left(undefined, 1000, 32), 3)
  t.same(remembered.take('ada', 4).map(({ clientId }) => clientId), [7])
  t.same(remembered.take('ada', 4), [], 'once')
  const anonymous = Array.from({ length: 4000 }, (_, room) => remembered.of(`anonymous ${room}`, 4).length)
  t.equal(anonymous.reduce((sum, count) => sum + count) + 1024, 100_000 - 1)
  t.equal(anonymous.at(-1), 1)
  remembered.sweep(120_003)
  for (const room of ['mallory 63', 'anonymous 3999']) t.equal(remembered.of(room, 4).length, 0, `${room} is forgotten after two minutes`)
})

await t.test('The states of one connection are bounded in total', async (t) => {
  const engine = new Engine({ maxAwarenessBytes: 1000 })
  const [a, witness] = [await engine.joinLive(), await engine.joinLive()]
  a.awareness(1, 1, 'x'.repeat(600))
  a.awareness(2, 1, 'y'.repeat(600))
  a.awareness(3, 1, {})
  await until(() => witness.present[3] !== undefined)
  t.same(Object.keys(witness.present), ['1', '3'])
  t.equal(engine.rooms.counters.awarenessDropped, 1)
  a.awareness(1, 2, null)
  a.awareness(2, 1, 'y'.repeat(600))
  await until(() => witness.present[2] !== undefined)
  a.awareness(2, 2, 'z'.repeat(900))
  await until(() => String(witness.present[2]).startsWith('z'))
  t.equal(engine.rooms.counters.awarenessDropped, 1, 'replaced and removed states do not count')
})

await t.test('States of another user\'s client are dropped unread', async (t) => {
  const engine = new Engine()
  const [a, b] = [await engine.joinLive('room', { userId: 'a' }), await engine.joinLive('room', { userId: 'b' })]
  a.awareness(1, 1, {})
  b.announce([{ clientId: 1, clock: 2, state: '{"unclosed":' }])
  t.equal(b.closed, undefined)
  t.equal(engine.rooms.counters.awarenessDropped, 1)
})

await t.test('A clock that clients could not increase is dropped', async (t) => {
  const engine = new Engine()
  const [a, witness] = [await engine.joinLive('room', { userId: 'a' }), await engine.joinLive()]
  a.awareness(1, Number.MAX_SAFE_INTEGER, { at: 1 })
  a.awareness(1, 1, { at: 2 })
  await until(() => witness.present[1] !== undefined)
  t.same(witness.present[1], { at: 2 })
  t.ok(witness.all('awareness').every(({ entries }) => entries.every(({ clock }) => clock < 2 ** 50)))
})

await t.test('A client that takes and releases one id after the other makes the room forget only its own ids', async (t) => {
  const table = new AwarenessTable()
  const sender = (userId: string | undefined, joinedAt: number): StateSender =>
    ({ person: personOf(userId, undefined), joinedAt })
  const owner = sender('ada', 0)
  table.apply(said([{ clientId: 7, clock: 1, state: '{}' }]), owner, 1000, 1)
  table.leave(owner, 2)
  const flood = (userId: string | undefined, from: number): void => {
    const rival = sender(userId, from)
    table.apply(states(from, 32), rival, 1000, 3)
    table.leave(rival, 4)
  }
  for (let round = 0; round < 100; round++) flood('mallory', 1000 + round * 32)
  t.equal(table.all().length, 1 + 64)
  for (let round = 0; round < 300; round++) flood(undefined, 10_000 + round * 32)
  for (let round = 0; round < 400; round++) flood(`account ${round >> 1}`, 100_000 + round * 32)
  t.equal(table.all().length, 10_000)
  const late = sender('mallory', 5)
  t.equal(table.apply(said([{ clientId: 7, clock: 9, state: '{}' }]), late, 1000, 6), 1, 'still Ada\'s')
  table.expire(200_000, 30_000)
  t.equal(table.all().length, 0)
  t.equal(table.apply(said([{ clientId: 7, clock: 9, state: '{}' }]), late, 1000, 200_001), 0)
})

await t.test('Presence is sent in pieces that a slow connection takes one by one, encoded once for all new clients', async (t) => {
  const entries = Array.from({ length: 50 }, (_, i) => ({ clientId: i, clock: 1, state: JSON.stringify('日'.repeat(5000)) }))
  const table = new AwarenessTable()
  const senders = [0, 1].map((joinedAt) => ({ person: `person ${joinedAt}`, joinedAt }))
  senders.forEach((sender, i) => { table.apply(said(entries.slice(25 * i, 25 * i + 25)), sender, Infinity, 1) })
  const pieces = new PresenceMessages(table).present()
  t.ok(pieces.length > 1 && pieces.every(({ length }) => length <= 256 * 1024))
  const heard = pieces.map((piece) => decodeHeard(piece, false))
  t.same(heard.flatMap((each) => each.type === 'awareness' ? each.entries : []), entries)
  t.same(new PresenceMessages(new AwarenessTable()).present(), [])

  const engine = new Engine()
  const a = await engine.joinLive()
  a.awareness(1, 1, {})
  const messages = new PresenceMessages(a.room.awareness)
  const before = messages.present()
  t.equal(messages.present(), before)
  a.awareness(1, 2, { at: 2 })
  t.not(messages.present(), before)
})
