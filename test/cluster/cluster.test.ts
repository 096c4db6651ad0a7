import t, { type Test } from 'tap'
import { everyone } from '../../src/bus/bus.ts'
import { LocalExchange } from '../../src/bus/local-bus.ts'
import { Cluster } from '../../src/cluster/cluster.ts'
import type { Question } from '../../src/cluster/questions.ts'
import type { RoomMessage, SharedRoom } from '../../src/sync/neighbours.ts'
import { newLog, until } from '../sync/engine.ts'

/** A room that writes down what it is told. */
class PaperRoom implements SharedRoom {
  readonly name: string
  readonly told: RoomMessage[] = []
  readonly gone: boolean[] = []
  behind = 0

  constructor (name: string) { this.name = name }
  greet (): RoomMessage[] { return [{ type: 'greeting', lastSeq: 7, entries: [] }] }
  heard (_from: string, message: RoomMessage): void { this.told.push(message) }
  left (_node: string, isOrderly: boolean): void { this.gone.push(isOrderly) }
  fallBehind (): void { this.behind++ }
  get updates (): number[] { return this.told.flatMap((message) => message.type === 'update' ? [...message.update] : []) }
}

async function node (t: Test, exchange: LocalExchange, name: string, answer: (question: Question) => unknown = () => name): Promise<{ cluster: Cluster, id: string }> {
  let id = ''
  const cluster = new Cluster({
    openBus: (node, listener) => {
      id = node
      return exchange.open(node, listener)
    },
    name,
    logger: newLog(),
    now: () => performance.now(),
    answer,
    isShared: false,
    batchMs: 0,
  })
  await cluster.open()
  t.teardown(() => cluster.close())
  return { cluster, id }
}

const update = (byte: number): RoomMessage => ({ type: 'update', update: Uint8Array.of(byte) })

await t.test('nodes find each other, and greet each other in the rooms they share, whoever was first', async (t) => {
  const exchange = new LocalExchange()
  const { cluster: a } = await node(t, exchange, 'a')
  const early = new PaperRoom('room')
  a.opened(early)
  const { cluster: b } = await node(t, exchange, 'b')
  await until(() => a.nodes.includes('b') && b.nodes.length === 1)
  t.notOk(a.areIn(early))
  const late = new PaperRoom('room')
  b.opened(late)
  const other = new PaperRoom('other')
  b.opened(other)
  await until(() => a.areIn(early) && b.areIn(late))
  a.tell(early, update(1))
  b.tell(late, update(2))
  b.tell(other, update(3))
  await until(() => early.updates.length === 1 && late.updates.length === 1)
  t.same(early.told, [{ type: 'greeting', lastSeq: 7, entries: [] }, update(2)])
  t.same(late.told, [{ type: 'greeting', lastSeq: 7, entries: [] }, update(1)])
  t.not(a.isTurn('room'), b.isTurn('room'), 'one of them has the turn')
  t.ok(b.isTurn('other'))
  b.closed(late)
  await until(() => early.gone.length === 1)
  t.same(early.gone, [true])
  t.notOk(a.areIn(early))
  t.ok(a.isTurn('room'), 'who stays takes it')
})

await t.test('after a cut both begin anew, and read the store', async (t) => {
  const exchange = new LocalExchange()
  const [a, b] = [await node(t, exchange, 'a'), await node(t, exchange, 'b')]
  const [here, there] = [new PaperRoom('room'), new PaperRoom('room')]
  a.cluster.opened(here)
  b.cluster.opened(there)
  await until(() => a.cluster.areIn(here) && b.cluster.areIn(there))
  a.cluster.tell(here, update(1))
  await until(() => there.updates.length === 1)
  exchange.cut(b.id)
  a.cluster.tell(here, update(2))
  b.cluster.tell(there, update(3))
  for (let i = 0; i < 10; i++) await new Promise((resolve) => { setImmediate(resolve) })
  exchange.restore(b.id)
  t.equal(there.behind, 1, 'b knows that it was cut')
  await until(() => here.told.filter(({ type }) => type === 'greeting').length >= 2)
  a.cluster.tell(here, update(4))
  b.cluster.tell(there, update(5))
  await until(() => there.updates.includes(4) && here.updates.includes(5))
  t.same([there.updates, here.updates], [[1, 4], [5]], 'what was lost is the store\'s to tell')
})

await t.test('a question is answered by all, and a reset reaches those who were away', async (t) => {
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
  t.same((await a.cluster.ask(reset)).silent, [], 'who has said goodbye is not asked')
})

await t.test('a node of another version is not taken for nobody: who asks all nodes is told of it', async (t) => {
  const exchange = new LocalExchange()
  const { cluster: a } = await node(t, exchange, 'a')
  const { cluster: b } = await node(t, exchange, 'b')
  await until(() => a.nodes.includes('b') && b.nodes.includes('a'))
  const question: Question = { type: 'reset', room: 'room', userId: undefined }
  t.same(await a.ask(question), { answers: ['b'], silent: [] })
  const old = await exchange.open('OOOOOOOO', { received () {}, restored () {} })
  t.teardown(() => old.close())
  old.send(everyone, Uint8Array.of(0x10, 1, 120)) // a sign of life of version 1
  let asked = await a.ask(question)
  while (asked.silent.length === 0) asked = await a.ask(question)
  t.same(asked, { answers: ['b'], silent: ['OOOOOOOO (of another version)'] })
})
