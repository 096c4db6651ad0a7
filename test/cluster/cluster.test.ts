import * as encoding from 'lib0/encoding'
import t, { type Test } from 'tap'
import { everyone } from '../../src/bus/bus.ts'
import { LocalExchange } from '../../src/bus/local-bus.ts'
import { Cluster, type ClusterOptions } from '../../src/cluster/cluster.ts'
import { encodeDatagram } from '../../src/cluster/datagram.ts'
import { writeEntry, type Entry } from '../../src/cluster/entry.ts'
import type { Question } from '../../src/cluster/question.ts'
import type { RoomMessage, SharedRoom } from '../../src/sync/peers/other-nodes.ts'
import { eventually } from '../clients/eventually.ts'
import { newLog, turn, until } from '../sync/engine.ts'

/** A room that records its calls. */
class PaperRoom implements SharedRoom {
  readonly name: string
  readonly told: RoomMessage[] = []
  readonly gone: boolean[] = []
  readonly written: number[] = []
  behind = 0

  constructor (name: string) { this.name = name }
  introduce (): RoomMessage[] { return [{ type: 'introduction', lastSeq: 7, entries: [] }] }
  received (_from: string, message: RoomMessage): void { this.told.push(message) }
  left (_node: string, isOrderly: boolean): void { this.gone.push(isOrderly) }
  mustReadStore (): void { this.behind++ }
  mustHave (seq: number): void { this.written.push(seq) }
  get updates (): number[] { return this.told.flatMap((message) => message.type === 'update' ? [...message.update] : []) }
}

/** A node whose answers are numbers: of closed connections, or of counted ones. */
async function node (
  t: Test,
  exchange: LocalExchange,
  name: string,
  answer: (question: Question) => number = () => 1,
  more: Partial<ClusterOptions> = {}
): Promise<{ cluster: Cluster, id: string }> {
  let id = ''
  const cluster = new Cluster({
    openBus: (node, listener) => {
      id = node
      return exchange.open(node, listener)
    },
    name,
    logger: newLog(),
    now: () => performance.now(),
    answerer: {
      reset: (room, userId) => answer({ type: 'reset', room, userId }),
      count: (room, sessionKey) => ({ count: answer({ type: 'count', room, sessionKey }), exists: false }),
      sizes: (rooms) => rooms.map(() => answer({ type: 'sizes', rooms })),
      connections: () => ({ connections: [], isComplete: true }),
      delete: (room, upTo) => answer({ type: 'delete', room, upTo }),
    },
    isShared: false,
    batchMs: 0,
    ...more,
  })
  await cluster.open()
  t.teardown(() => cluster.close())
  return { cluster, id }
}

const update = (byte: number): RoomMessage => ({ type: 'update', update: Uint8Array.of(byte) })

await t.test('Nodes find each other, and synchronise the rooms they share, whichever started first', async (t) => {
  const exchange = new LocalExchange()
  const { cluster: a } = await node(t, exchange, 'a')
  const early = new PaperRoom('room')
  a.opened(early)
  const { cluster: b } = await node(t, exchange, 'b')
  await until(() => a.nodes.includes('b') && b.nodes.length === 1)
  t.notOk(a.isOpenElsewhere(early))
  const late = new PaperRoom('room')
  b.opened(late)
  const other = new PaperRoom('other')
  b.opened(other)
  await until(() => a.isOpenElsewhere(early) && b.isOpenElsewhere(late))
  a.send(early, update(1))
  b.send(late, update(2))
  b.send(other, update(3))
  await until(() => early.updates.length === 1 && late.updates.length === 1)
  t.same(early.told, [{ type: 'introduction', lastSeq: 7, entries: [] }, update(2)])
  t.same(late.told, [{ type: 'introduction', lastSeq: 7, entries: [] }, update(1)])
  t.not(a.isTurn('room'), b.isTurn('room'), 'one of them has the turn')
  t.ok(b.isTurn('other'))
  b.closed(late)
  await until(() => early.gone.length === 1)
  t.same(early.gone, [true])
  t.notOk(a.isOpenElsewhere(early))
  t.ok(a.isTurn('room'), 'the remaining node takes it')
})

await t.test('A node that opens a room learns who left it from a node that has closed it', async (t) => {
  const exchange = new LocalExchange()
  const { cluster: a } = await node(t, exchange, 'a')
  const left: RoomMessage = { type: 'awareness', entries: [{ clientId: 7, clock: 5, state: 'null', person: 'ada', since: 1, leftMs: 100 }] }
  a.answerOpenings((name) => name === 'released' ? left : undefined)
  const { cluster: b } = await node(t, exchange, 'b')
  await until(() => b.nodes.length === 1)
  const [never, released] = [new PaperRoom('never'), new PaperRoom('released')]
  b.opened(never)
  b.opened(released)
  await until(() => released.told.length > 0)
  t.same([released.told, never.told], [[left], []])
  t.notOk(b.isOpenElsewhere(released), 'and that node does not have it open')
  const { cluster: c } = await node(t, exchange, 'c')
  const met = new PaperRoom('released')
  c.opened(met)
  await until(() => met.told.length === 2)
  t.same(met.told.find(({ type }) => type === 'awareness'), left, 'even if it was opened before the nodes met')
})

await t.test('After a cut both nodes start a new link, and read the store', async (t) => {
  const exchange = new LocalExchange()
  const [a, b] = [await node(t, exchange, 'a'), await node(t, exchange, 'b')]
  const [here, there] = [new PaperRoom('room'), new PaperRoom('room')]
  a.cluster.opened(here)
  b.cluster.opened(there)
  await until(() => a.cluster.isOpenElsewhere(here) && b.cluster.isOpenElsewhere(there))
  a.cluster.send(here, update(1))
  await until(() => there.updates.length === 1)
  exchange.cut(b.id)
  a.cluster.send(here, update(2))
  b.cluster.send(there, update(3))
  // Turns in which both updates would arrive without the cut.
  for (let i = 0; i < 10; i++) await turn()
  exchange.restore(b.id)
  t.equal(there.behind, 1, 'b knows that it was cut off')
  await until(() => here.told.filter(({ type }) => type === 'introduction').length >= 2)
  // Again and again: a restart that the other side has asked for drops what was not sent yet.
  await until(() => {
    a.cluster.send(here, update(4))
    b.cluster.send(there, update(5))
    return there.updates.includes(4) && here.updates.includes(5)
  })
  t.same([new Set(there.updates), new Set(here.updates)], [new Set([1, 4]), new Set([5])], 'lost updates are read from the store')
})

await t.test('A write reaches every node that has the document open, also if its own node has not, and after a cut', async (t) => {
  const exchange = new LocalExchange()
  const clock = { now: 0 }
  const now = (): number => clock.now
  const [a, b, c] = [await node(t, exchange, 'a', undefined, { now }), await node(t, exchange, 'b', undefined, { now }), await node(t, exchange, 'c', undefined, { now })]
  const [there, also, other] = [new PaperRoom('room'), new PaperRoom('room'), new PaperRoom('other')]
  b.cluster.opened(there)
  b.cluster.opened(other)
  c.cluster.opened(also)
  await until(() => a.cluster.nodes.length === 2)
  a.cluster.wrote('room', 7)
  await until(() => there.written.length > 0 && also.written.length > 0)
  t.same([there.written, also.written, other.written], [[7], [7], []])
  exchange.cut(b.id)
  a.cluster.wrote('room', 8)
  a.cluster.wrote('room', 9)
  await until(() => also.written.length === 3)
  exchange.restore(b.id)
  await until(() => there.written.includes(9))
  t.notOk(there.written.includes(8), 'the last write of a document is repeated')
  clock.now += 10 * 60_000
  const { cluster: d } = await node(t, exchange, 'd', undefined, { now })
  const late = new PaperRoom('room')
  d.opened(late)
  a.cluster.wrote('room', 10)
  await until(() => late.written.length > 0)
  t.same(late.written, [10], 'old ones are not')
})

await t.test('All nodes answer a question, and a reset reaches nodes that were cut off', async (t) => {
  const exchange = new LocalExchange()
  const asked: Question[] = []
  const a = await node(t, exchange, 'a')
  const b = await node(t, exchange, 'b', (question) => {
    asked.push(question)
    return 2
  })
  const c = await node(t, exchange, 'c', () => 3)
  await until(() => a.cluster.nodes.length === 2 && c.cluster.nodes.length === 2)
  const reset: Question = { type: 'reset', room: 'room', userId: 'ada' }
  const all = await a.cluster.ask(reset)
  t.same([[...all.answers].sort(), all.silent], [[2, 3], []])
  exchange.cut(b.id)
  const some = await a.cluster.ask({ ...reset, userId: 'bob' })
  t.same([some.answers, some.silent], [[3], ['b']])
  t.equal(asked.length, 1)
  exchange.restore(b.id)
  await until(() => asked.length > 1)
  t.match(asked.at(-1), { userId: 'bob' })
  await b.cluster.close()
  await until(() => a.cluster.nodes.length === 1)
  t.same((await a.cluster.ask(reset)).silent, [], 'a node that has left is not asked')
})

await t.test('A reset that is repeated because its answer was lost is answered again, and executed once', async (t) => {
  const exchange = new LocalExchange()
  const asked: Question[] = []
  const a = await node(t, exchange, 'a')
  const b = await node(t, exchange, 'b', (question) => {
    asked.push(question)
    // The answer does not arrive.
    if (asked.length === 1) exchange.cut(b.id)
    return asked.length
  })
  await until(() => a.cluster.nodes.length === 1 && b.cluster.nodes.length === 1)
  const answered = a.cluster.ask({ type: 'reset', room: 'room', userId: 'ada' })
  await until(() => asked.length === 1)
  // Turns in which the answer would arrive without the cut.
  for (let i = 0; i < 10; i++) await turn()
  exchange.restore(b.id)
  t.same(await answered, { answers: [1], silent: [] })
  t.same((await a.cluster.ask({ type: 'count', room: 'room', sessionKey: '' })).answers, [{ count: 2, exists: false }], 'b has received everything that a repeats')
  t.match(asked, [{ type: 'reset' }, { type: 'count' }])
})

await t.test('A reset reaches a node that was unknown when it was requested, unless that node started later', async (t) => {
  const exchange = new LocalExchange()
  const heard: Record<string, Question[]> = { early: [], late: [] }
  const clock = { now: 0 }
  const now = (): number => clock.now
  const join = async (name: string): Promise<{ cluster: Cluster, id: string }> =>
    await node(t, exchange, name, (question) => heard[name]?.push(question) ?? 0, { now })
  const early = await join('early')
  exchange.cut(early.id)
  clock.now += 1000
  const a = await node(t, exchange, 'a', () => 0, { now })
  const reset: Question = { type: 'reset', room: 'room', userId: 'ada' }
  await a.cluster.ask(reset)
  clock.now += 1000
  const late = await join('late')
  await until(() => late.cluster.nodes.includes('a'))
  exchange.restore(early.id)
  await until(() => heard['early']?.length === 1)
  t.same(heard, { early: [reset], late: [] })
  await a.cluster.ask({ ...reset, userId: 'bob' })
  t.same(heard['late']?.length, 1)
})

await t.test('A node of another version is not ignored: a question to all nodes reports it', async (t) => {
  const exchange = new LocalExchange()
  const { cluster: a } = await node(t, exchange, 'a')
  const { cluster: b } = await node(t, exchange, 'b')
  await until(() => a.nodes.includes('b') && b.nodes.includes('a'))
  const question: Question = { type: 'reset', room: 'room', userId: undefined }
  t.same(await a.ask(question), { answers: [1], silent: [] })
  const old = await exchange.open('OOOOOOOO', { received () {}, restored () {} })
  t.teardown(() => old.close())
  old.send(everyone, Uint8Array.of(0x10, 1, 120)) // a sign of life of version 1
  let asked = await a.ask(question)
  await eventually(async () => {
    asked = await a.ask(question)
    return asked.silent.length > 0
  })
  t.same(asked, { answers: [1], silent: ['OOOOOOOO (of another version)'] })
})

/** A node of this version that sends what the test wants. */
async function mouth (
  t: Test,
  exchange: LocalExchange
): Promise<(entries: readonly Entry[], ...more: number[]) => void> {
  const bus = await exchange.open('MMMMMMMM', { received () {}, restored () {} })
  t.teardown(() => bus.close())
  let epoch = 0
  return (entries, ...more) => {
    const encoder = encoding.createEncoder()
    for (const entry of entries) writeEntry(encoder, entry)
    encoding.writeUint8Array(encoder, Uint8Array.from(more))
    bus.send(everyone, encodeDatagram({ type: 'batch', epoch: ++epoch, count: 1, entries: encoding.toUint8Array(encoder) }))
  }
}

await t.test('An unreadable message loses nothing else: neither the ones before it, nor the readable ones after it', async (t) => {
  const exchange = new LocalExchange()
  const { cluster } = await node(t, exchange, 'a')
  const [frail, sound] = [new class extends PaperRoom {
    override received (): void { throw new Error('This room cannot hear') }
  }('frail'), new PaperRoom('sound')]
  cluster.opened(frail)
  cluster.opened(sound)
  const say = await mouth(t, exchange)
  say([
    { type: 'room', to: 1, message: update(1) },
    { type: 'question', id: 1, body: 'no JSON' },
    { type: 'room', to: 2, message: update(2) },
  ], 255)
  await until(() => sound.updates.length === 1)
  t.same([frail.behind, sound.behind], [1, 0], 'it reads the missed updates from the store')
})

await t.test('Unreadable messages are logged once per interval, with their number', async (t) => {
  const exchange = new LocalExchange()
  const lines: object[] = []
  const clock = { now: 0 }
  const { cluster } = await node(t, exchange, 'a', undefined, {
    logger: { debug () {}, info () {}, warn () {}, error: (fields) => { lines.push(fields) } },
    now: () => clock.now,
  })
  const room = new PaperRoom('room')
  cluster.opened(room)
  const say = await mouth(t, exchange)
  const sayUnreadable = async (times: number): Promise<void> => {
    const before = room.updates.length
    for (let i = 0; i < times; i++) say([], 255)
    say([{ type: 'room', to: 1, message: update(0) }])
    await until(() => room.updates.length > before)
  }
  await sayUnreadable(20)
  t.equal(lines.length, 1)
  t.match(lines[0], { err: Error, node: 'MMMMMMMM' })
  t.notMatch(lines[0], { suppressed: Number })
  clock.now += 10_000
  await sayUnreadable(5)
  t.equal(lines.length, 2)
  t.match(lines[1], { suppressed: 19 })
})
