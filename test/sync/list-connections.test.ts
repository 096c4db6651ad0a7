import t from 'tap'
import type { Connection } from '../../src/sync/connection.ts'
import { Engine, until, type Peer } from './engine.ts'

const all = (): boolean => true
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))

/** The user ids of a list, and whether it is complete. */
function users (engine: Engine, isWanted: (connection: Connection) => boolean, limit: number) {
  const { connections, isComplete } = engine.rooms.list('room', isWanted, limit)
  return [connections.map(({ userId }) => userId), isComplete]
}

/** Makes a client present in its connection. */
function announce (peer: Peer, clientId: number, state: unknown): void {
  peer.awareness(clientId, 1, state)
}

await t.test('Connections are listed with their users, rights and protocols, and the clients present in each', async (t) => {
  const engine = new Engine()
  const before = Date.now()
  const writer = await engine.joinLive('room', { userId: 'writer' })
  const reader = await engine.joinLive('room', { userId: 'reader', canEdit: false, wire: 'hocuspocus' })
  await engine.joinLive('room')
  await engine.joinLive('elsewhere', { userId: 'other' })
  announce(writer, 1, { name: 'Ada' })
  announce(writer, 2, 'a second editor')
  announce(reader, 3, { name: 'Bo' })
  await until(() => Object.keys(writer.present).length === 3)
  const { connections, isComplete } = engine.rooms.list('room', all, 10)
  t.ok(isComplete)
  t.same(connections.map(({ since, number, ...rest }) => rest), [
    { userId: 'writer', canEdit: true, protocol: 'y-websocket', presence: [{ clientId: 1, state: { name: 'Ada' } }, { clientId: 2, state: 'a second editor' }] },
    { userId: 'reader', canEdit: false, protocol: 'hocuspocus', presence: [{ clientId: 3, state: { name: 'Bo' } }] },
    { userId: undefined, canEdit: true, protocol: 'y-websocket', presence: [] },
  ])
  t.ok(connections.every(({ since }) => since >= before && since <= Date.now()))
  writer.awareness(2, 2, null)
  reader.leave()
  writer.connection.takeOver({ userId: 'writer', canEdit: false })
  const [first, ...others] = engine.rooms.list('room', all, 10).connections
  t.match(first, { userId: 'writer', canEdit: false, presence: [{ clientId: 1 }] })
  t.same([first?.presence.length, others.length], [1, 1])
  t.same(engine.rooms.list('unknown', all, 10), { connections: [], isComplete: true })
})

await t.test('A list has as many connections as are wanted, the oldest first', async (t) => {
  const engine = new Engine()
  for (const userId of ['a', 'b', 'c']) await engine.joinLive('room', { userId })
  t.same(users(engine, all, 2), [['a', 'b'], false])
  t.same(users(engine, all, 3), [['a', 'b', 'c'], true])
  t.same(users(engine, ({ userId }) => userId !== 'a', 1), [['b'], false])
  t.same(users(engine, ({ userId }) => userId === 'c', 1), [['c'], true])
})

await t.test('Large states make a list shorter, but never empty', async (t) => {
  const engine = new Engine({ maxAwarenessBytes: 400 * 1024 })
  for (const [at, kib] of [100, 100, 100, 300, 10].entries()) {
    announce(await engine.joinLive('room', { userId: `${at}` }), at, 'x'.repeat(kib * 1024))
  }
  const from = (userId: string) => users(engine, (connection) => (connection.userId ?? '') >= userId, 10)
  t.same(from('0'), [['0', '1'], false])
  t.same(from('2'), [['2'], false])
  t.same(from('3'), [['3'], false])
  t.same(from('4'), [['4'], true])
})

await t.test('A state that is nested too deeply for parsers of JSON is left out', async (t) => {
  const engine = new Engine()
  const peer = await engine.joinLive('room')
  const states = [nested(100), nested(101), { text: '[{'.repeat(200) }, { text: '"\\'.repeat(100), more: nested(99) }, { more: nested(100) }]
  for (const [at, state] of states.entries()) announce(peer, at, state)
  peer.announce([{ clientId: 7, clock: 1, state: '['.repeat(30_000) + ']'.repeat(30_000) }])
  const [connection] = engine.rooms.list('room', all, 1).connections
  t.same(connection?.presence.map(({ clientId }) => clientId), [0, 2, 3])
  t.same(connection?.presence.map(({ state }) => state), [states[0], states[2], states[3]])
})
