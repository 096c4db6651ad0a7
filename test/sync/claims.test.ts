import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { absentState, AwarenessUpdate, encodeAwareness } from '../../src/protocol/awareness.ts'
import { AwarenessTable, type StateSender } from '../../src/sync/presence/awareness-table.ts'
import { personOf } from '../../src/sync/presence/claim.ts'
import type { SharedPresence } from '../../src/sync/peers/other-nodes.ts'
import { sharePresence } from '../../src/sync/presence/share-presence.ts'
import { Engine } from './engine.ts'

/*
 * Two or three nodes with a room each, over links that deliver in order, late, or not at all during a cut. The owner of
 * a client id leaves and reconnects on any node; rivals claim the same id. Each node does the work of the remote room
 * and the room.
 */

const id = 77
const maxBytes = 1000

type Message = { readonly type: 'awareness' | 'introduction', readonly entries: readonly SharedPresence[] } | { readonly type: 'gone' }

class Node {
  readonly name: string
  readonly world: World
  table: AwarenessTable | undefined
  /** By node: messages that it has sent and that have not arrived here */
  readonly inbox = new Map<Node, Message[]>()

  constructor (world: World, index: number) {
    this.world = world
    this.name = `node ${index}`
  }

  open (): void {
    if (this.table !== undefined) return
    this.table = new AwarenessTable(() => this.world.now)
    for (const other of this.world.nodes) {
      if (other === this || other.table === undefined || this.world.isCut(this, other)) continue
      this.greet(other)
      other.greet(this)
    }
  }

  greet (other: Node): void {
    const entries = this.table?.all().filter(({ node, state }) => node === undefined || state === absentState) ?? []
    this.#send(other, { type: 'introduction', entries: sharePresence(entries, this.world.now) })
  }

  /** Sends all changes. */
  tick (): void {
    const own = this.table?.takeChanged().filter(({ node }) => node === undefined) ?? []
    if (own.length === 0) return
    for (const other of this.world.nodes) {
      if (other !== this && other.table !== undefined && !this.world.isCut(this, other)) this.#send(other, { type: 'awareness', entries: sharePresence(own, this.world.now) })
    }
  }

  #send (other: Node, message: Message): void {
    const inbox = other.inbox.get(this)
    if (inbox === undefined) other.inbox.set(this, [message])
    else inbox.push(message)
  }

  /** Receives the next message of a node. @returns whether there was one */
  hear (from: Node): boolean {
    const message = this.inbox.get(from)?.shift()
    if (message === undefined) return false
    const { now } = this.world
    if (message.type === 'gone') this.table?.leaveNode(from.name, now)
    else {
      this.table?.applyRemote(from.name, message.entries, now)
      const present = message.entries.filter(({ state }) => state !== absentState).map(({ clientId }) => clientId)
      if (message.type === 'introduction') this.table?.leaveNode(from.name, now, new Set(present))
    }
    this.tick()
    return true
  }
}

class World {
  now = 1_000_000
  readonly nodes: readonly Node[]
  readonly #cut = new Set<Node>()

  constructor (count: number) {
    this.nodes = Array.from({ length: count }, (_, index) => new Node(this, index))
  }

  isCut (a: Node, b: Node): boolean { return this.#cut.has(a) || this.#cut.has(b) }

  /** Cuts the node off: messages in flight are lost, and each node counts the other as crashed. */
  cut (node: Node): void {
    if (this.#cut.has(node)) return
    this.#cut.add(node)
    for (const other of this.nodes) {
      if (other === node) continue
      node.inbox.set(other, [{ type: 'gone' }])
      other.inbox.set(node, [{ type: 'gone' }])
    }
  }

  restore (node: Node): void {
    if (!this.#cut.delete(node)) return
    for (const other of this.nodes) {
      if (other === node || other.table === undefined || node.table === undefined || this.isCut(node, other)) continue
      node.greet(other)
      other.greet(node)
    }
  }

  settle (): void {
    for (const node of this.nodes) node.tick()
    while (this.nodes.some((node) => this.nodes.some((from) => node.hear(from)))) { /* until all is heard */ }
  }
}

/** A person who wants to use the client id. */
class Person {
  readonly #world: World
  readonly #name: string
  readonly #userId: string | undefined
  #sender: StateSender | undefined
  at: Node | undefined

  constructor (world: World, name: string, userId: string | undefined) {
    this.#world = world
    this.#name = name
    this.#userId = userId
  }

  join (node: Node): void {
    if (this.at === node) return
    this.leave()
    this.at = node
    this.#sender = { person: personOf(this.#userId, undefined), joinedAt: this.#world.now }
  }

  leave (): void {
    if (this.#sender !== undefined) this.at?.table?.leave(this.#sender, this.#world.now)
    this.at?.tick()
    this.at = this.#sender = undefined
  }

  say (clock: number): void {
    if (this.#sender === undefined) return
    const update = new AwarenessUpdate(encodeAwareness([{ clientId: id, clock, state: JSON.stringify(this.#name) }]))
    this.at?.table?.apply(update, this.#sender, maxBytes, this.#world.now)
    this.at?.tick()
  }
}

const node = fc.nat(2)
const person = fc.nat(1)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: fc.constant('join' as const), person, node }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('say' as const), person, clock: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('leave' as const), person }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('hear' as const), node, from: node }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('cut' as const, 'restore' as const), node }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3000 }) }) }
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take (world: World, people: readonly Person[], step: Step): void {
  const nodeOf = (index: number): Node => world.nodes[index % world.nodes.length]!
  switch (step.does) {
    case 'join':
      nodeOf(step.node).open()
      people[step.person]?.join(nodeOf(step.node))
      break
    case 'say':
      people[step.person]?.say(step.clock)
      break
    case 'leave':
      people[step.person]?.leave()
      break
    case 'hear':
      nodeOf(step.node).hear(nodeOf(step.from))
      break
    case 'cut':
      world.cut(nodeOf(step.node))
      break
    case 'restore':
      world.restore(nodeOf(step.node))
      break
    case 'pass':
      world.now += step.ms
      break
  }
}

/** The states of the client id on all nodes that have the room open. */
const states = (world: World): Array<string | undefined> =>
  world.nodes.flatMap(({ table }) =>
    table === undefined ? [] : [table.present().find(({ clientId }) => clientId === id)?.state])

await t.test('In whatever order nodes receive claims, the first client is the owner', async (t) => {
  // All within the 120 s for which an owner is remembered.
  fc.assert(fc.property(fc.constantFrom(2, 3), fc.constantFrom('mallory', undefined), fc.array(step, { maxLength: 30 }), node, (count, rival, steps, home) => {
    const world = new World(count)
    const people = [new Person(world, 'owner', 'owner'), new Person(world, 'rival', rival)]
    world.nodes[0]?.open()
    people[0]?.join(world.nodes[0]!)
    people[0]?.say(5)
    world.now++
    for (const step of steps) take(world, people, step)
    for (const each of world.nodes) world.restore(each)
    world.settle()
    for (const state of states(world)) assert.notEqual(state, '"rival"')
    const at = world.nodes[home % count]!
    at.open()
    world.settle()
    world.now++
    // A client that connects starts a new count; one that has been present all along renews with a higher clock.
    const renewal = people[0]?.at === at ? 31 : 0
    people[0]?.join(at)
    people[0]?.say(renewal)
    world.settle()
    people[1]?.say(1000)
    world.settle()
    assert.deepEqual(new Set(states(world)), new Set(['"owner"']))
  }), { numRuns: Number(process.env.CLAIMS_RUNS ?? 3000) })
  t.pass()
})

await t.test('Two people on nodes that are not connected claim one id, and agree on its owner afterwards, in either order', async (t) => {
  for (const [firstUser, secondUser] of [['a', 'b'], ['b', 'a'], [undefined, 'b'], ['a', undefined], [undefined, undefined]]) {
    for (const order of [[0, 1], [1, 0]] as const) {
      const world = new World(3)
      const [first, second] = [new Person(world, 'first', firstUser), new Person(world, 'second', secondUser)]
      for (const each of world.nodes) each.open()
      world.settle()
      first.join(world.nodes[0]!)
      second.join(world.nodes[1]!)
      first.say(1)
      world.now += 5
      second.say(9)
      for (const index of order) world.nodes[2]?.hear(world.nodes[index]!)
      world.settle()
      t.same(states(world), ['"first"', '"first"', '"first"'])
    }
  }
})

await t.test('An owner who has won over a rival with a higher clock is renewed on every node', async (t) => {
  const world = new World(2)
  const [owner, rival] = [new Person(world, 'owner', 'owner'), new Person(world, 'rival', 'rival')]
  for (const each of world.nodes) each.open()
  world.settle()
  owner.join(world.nodes[0]!)
  rival.join(world.nodes[1]!)
  owner.say(1)
  world.now += 5
  rival.say(1000)
  world.settle()
  const there = world.nodes[1]?.table
  const before = there?.all()[0]?.clock ?? 0
  owner.say(2)
  world.nodes[1]?.hear(world.nodes[0]!)
  t.ok((there?.all()[0]?.clock ?? 0) > before, 'clients there receive a higher clock, or they would drop the owner after 30 s')
})

await t.test('An anonymous person\'s id is reserved for anonymous people for 30 s, and then free for anybody', async (t) => {
  const world = new World(2)
  const [owner, known] = [new Person(world, 'owner', undefined), new Person(world, 'known', 'known')]
  for (const each of world.nodes) each.open()
  world.settle()
  owner.join(world.nodes[0]!)
  owner.say(5)
  world.settle()
  owner.leave()
  world.settle()
  known.join(world.nodes[1]!)
  world.now += 29_000
  known.say(6)
  world.settle()
  t.same(states(world), [undefined, undefined])
  world.now += 2000
  known.say(7)
  world.settle()
  t.same(states(world), ['"known"', '"known"'])
})

await t.test('People are distinguished by digests for which no collision can be searched', async (t) => {
  t.equal(personOf('ada', 'session'), personOf('ada', undefined), 'the user id takes precedence')
  t.not(personOf('ada', undefined), personOf(undefined, 'ada'))
  t.not(personOf(undefined, undefined), personOf(undefined, undefined), 'no two anonymous people are the same')
  t.ok(personOf('ada', undefined).length * 6 >= 128)
})

t.test('A connection stays the same person while its user stays the same', (t) => {
  for (const member of [{ userId: 'ada' }, { sessionKey: 'before' }, {}]) {
    const { connection } = new Engine().join('room', { ...member, canEdit: false })
    const { person } = connection
    connection.takeOver({ userId: connection.userId, sessionKey: 'after', canEdit: true })
    t.same([connection.person, connection.sessionKey, connection.canEdit], [person, 'after', true])
    connection.takeOver({ userId: connection.userId, canEdit: false })
    t.same([connection.sessionKey, connection.canEdit], ['after', false])
    connection.takeOver({ userId: 'grace', canEdit: false })
    t.equal(connection.person, personOf('grace', undefined))
  }
  t.end()
})
