import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { deleteSetOf, stateVectorOf } from '../update/documents.ts'
import { Engine, turn, until, type Peer } from './engine.ts'
import { MemoryStore } from './memory-store.ts'

/*
 * People edit real documents, over a store that is slow and fails, in rooms that are opened, left, reset and
 * compacted, on a server that is killed. Once all faults are over, everybody and the store have the same document, and
 * nothing is missing that any client still has or that was ever reported as stored.
 *
 * Steps: 1,000 or Y_PROVIDER_MODEL_STEPS. A failing schedule is printed with its seed; Y_PROVIDER_SEED repeats it.
 */
const totalSteps = Number(process.env['Y_PROVIDER_MODEL_STEPS'] ?? 1000)
const seed = process.env['Y_PROVIDER_SEED']
const maxSteps = 100

const room = 'room'

/** A person with a document that outlives connections. */
class Person {
  readonly world: World
  readonly wire: 'y-websocket' | 'hocuspocus'
  doc = new Y.Doc()
  peer: Peer | undefined
  /** Hocuspocus: messages sent on this connection and not acknowledged, in order */
  #unacknowledged: Uint8Array[] = []

  constructor (world: World, wire: 'y-websocket' | 'hocuspocus') {
    this.world = world
    this.wire = wire
    this.#follow()
  }

  get isIn (): boolean { return this.peer?.connection.phase !== 'ended' && this.peer !== undefined }

  connect (): void {
    if (this.isIn) return
    this.#unacknowledged = []
    this.peer = this.world.engine.join(room, { wire: this.wire, userId: `${this.world.people.indexOf(this)}` })
    const { peer } = this
    // The message of the initial sync can have arrived during the join already.
    const early = peer.heard.splice(0)
    peer.onHeard = (heard) => {
      if (heard.type === 'step1') this.#send('sync-step-2', Y.encodeStateAsUpdate(this.doc, heard.bytes))
      else if (heard.type === 'step2' || heard.type === 'update') Y.applyUpdate(this.doc, heard.bytes, 'server')
      else if (heard.type === 'status') this.#acknowledged(heard.stored)
    }
    for (const heard of early) peer.onHeard(heard)
    peer.askFor(this.doc)
  }

  disconnect (): void {
    if (this.peer !== undefined) this.peer.onHeard = undefined
    if (this.isIn) this.peer?.leave()
    this.peer = undefined
  }

  /** The browser is closed for good: only what was stored is promised. */
  crash (): void {
    this.disconnect()
    this.world.hasLostSomeone = true
    this.doc = new Y.Doc()
    this.#follow()
  }

  #follow (): void {
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server') this.#send('update', update)
    })
  }

  #send (type: 'sync-step-2' | 'update', update: Uint8Array): void {
    const { peer } = this
    if (peer === undefined || !this.isIn) return
    if (this.wire === 'hocuspocus') this.#unacknowledged.push(update)
    peer.say({ type, update })
  }

  #acknowledged (stored: boolean): void {
    const update = this.#unacknowledged.shift()
    if (update === undefined) this.world.faults.push('More was acknowledged than was sent')
    else if (!stored) this.world.faults.push('An update was refused')
    else if (!this.world.store.holds(room, update)) this.world.faults.push('An update was acknowledged before it was stored')
    else this.world.acknowledged.push(update)
  }
}

class World {
  readonly store = new MemoryStore()
  engine = new Engine({ maxSocketBufferBytes: 2000 }, this.store)
  readonly people: Person[]
  readonly acknowledged: Uint8Array[] = []
  /**
   * A person's document is lost. The other documents can depend on a part of it that never left that browser: they all
   * wait for it then, and alike.
   */
  hasLostSomeone = false
  /** A violation that was detected where nothing can be thrown */
  readonly faults: string[] = []

  constructor () {
    this.people = (['y-websocket', 'hocuspocus', 'y-websocket', 'hocuspocus'] as const).map((wire) => new Person(this, wire))
  }

  /** Simulates a crash: everything that the store has not committed is lost. */
  kill (): void {
    const { appends } = this.store
    appends.fail(appends.waiting)
    appends.open()
    this.engine.die()
    for (const person of this.people) person.disconnect()
    this.engine = new Engine({ maxSocketBufferBytes: 2000 }, this.store)
  }
}

interface Step {
  readonly what: number
  readonly who: number
  readonly a: number
  readonly b: number
  readonly turns: number
}

const schedule = fc.array(fc.record({
  what: fc.nat(29), who: fc.nat(3), a: fc.nat(1000), b: fc.nat(1000), turns: fc.nat(3),
}), { minLength: 1, maxLength: maxSteps, size: 'max' })

function take (world: World, { what, who, a, b }: Step): void {
  const person = world.people[who]!
  const { doc, peer } = person
  const { store, engine } = world
  const text = doc.getText('text')
  switch (what) {
    case 0: case 1: case 2: case 3: case 4: text.insert(a % (text.length + 1), `${a} `); break
    case 5: if (text.length > 0) text.delete(a % text.length, Math.min(b % 20, text.length - a % text.length)); break
    case 6: doc.getMap('map').set(`${a % 5}`, b); break
    case 7: doc.getArray('array').insert(a % (doc.getArray('array').length + 1), [b]); break
    case 8: if (doc.getArray('array').length > 0) doc.getArray('array').delete(a % doc.getArray('array').length); break
    case 9: if (a % 3 === 0) text.insert(0, `${b}`.repeat(50_000)); break
    case 10: doc.transact(() => { for (let i = 0; i < 30; i++) text.insert(a * i % (text.length + 1), `${i}`) }); break
    case 11: case 12: case 13: case 14: person.connect(); break
    case 15: person.disconnect(); break
    case 16: if (a % 4 === 0) person.crash(); break
    case 17: engine.rooms.reset(room, b % 2 === 0 ? `${who}` : undefined); break
    case 18: store.appends.shut(); break
    case 19: store.appends.open(); break
    case 20: store.appends.openOnce(); break
    case 21: store.appends.fail(1 + a % 3); break
    case 22: store.loads.fail(1 + a % 2); break
    case 23: if (b % 2 === 0) store.loads.shut(); else store.loads.open(); break
    case 24: if (b % 2 === 0) engine.work.scans.shut(); else engine.work.scans.open(); break
    case 25: if (b % 2 === 0) store.compactions.shut(); else store.compactions.open(); break
    case 26: peer?.socket.stopReading(); break
    case 27: if (person.isIn) peer?.socket.read(); break
    case 28: peer?.askFor(doc); break
    default: if (a % 5 === 0) world.kill()
  }
}

/** Ends all faults: everything is let through, everybody reconnects. */
async function settle (world: World): Promise<void> {
  const { store, people } = world
  const { scans, others } = world.engine.work
  for (const gate of [store.appends, store.loads, store.reads, store.compactions, scans, others]) {
    gate.heal()
    gate.open()
  }
  for (const person of people) if (person.isIn) person.peer?.socket.read()
  if (world.hasLostSomeone) {
    // An update that only a lost browser had can still be in a check: a room stays open until that is done.
    for (const person of people) person.disconnect()
    await until(() => world.engine.rooms.openRooms === 0)
  }
  await until(() => {
    for (const person of people) person.connect()
    if (world.engine.rooms.unsavedBytes > 0) return false
    if (!people.every((person) => person.isIn && person.peer!.all('step2').length > 0 && person.peer!.connection.phase === 'live')) return false
    const [first, ...rest] = people.map(({ doc }) =>
      JSON.stringify([stateVectorOf(doc), deleteSetOf(doc).encode(), missingFrom(doc)]))
    return rest.every((other) => other === first) && storesAll(world, people[0]!.doc)
  }, 5000)
}

/** No update contains what one concurrent change deletes of another; so documents are compared, not updates. */
function storesAll ({ store }: World, doc: Y.Doc): boolean {
  const stored = new Y.Doc()
  for (const update of store.updates(room)) Y.applyUpdate(stored, update)
  return Buffer.from(deleteSetOf(stored).encode()).equals(deleteSetOf(doc).encode()) &&
    JSON.stringify(stateVectorOf(stored)) === JSON.stringify(stateVectorOf(doc))
}

async function run (steps: readonly Step[]): Promise<World> {
  const world = new World()
  try {
    for (const step of steps) {
      take(world, step)
      for (let i = 0; i < step.turns; i++) await turn()
    }
    await settle(world)
    const stored = new Y.Doc()
    for (const update of world.store.updates(room)) Y.applyUpdate(stored, update)
    for (const doc of [...world.people.map((person) => person.doc), stored]) assertSame(doc, world.people[0]!.doc)
    if (!world.hasLostSomeone) assert.deepEqual(missingFrom(stored), [])
    for (const update of world.acknowledged) assert.ok(world.store.holds(room, update), 'nothing acknowledged is lost')
    for (const person of world.people) person.disconnect()
    await until(() => world.engine.rooms.openRooms === 0)
    await world.engine.rooms.compactionIdle()
    const late = await world.engine.joinLive(room)
    await until(() => stateVectorOf(late.doc).length === stateVectorOf(stored).length)
    assertSame(late.doc, stored)
    assert.deepEqual(world.faults, [])
    return world
  } finally {
    world.engine.die()
  }
}

function assertSame (actual: Y.Doc, expected: Y.Doc): void {
  assert.equal(actual.getText('text').toString(), expected.getText('text').toString())
  assert.deepEqual(actual.getMap('map').toJSON(), expected.getMap('map').toJSON())
  assert.deepEqual(actual.getArray('array').toJSON(), expected.getArray('array').toJSON())
  assert.deepEqual(stateVectorOf(actual), stateVectorOf(expected))
  assert.deepEqual(deleteSetOf(actual).encode(), deleteSetOf(expected).encode())
  assert.deepEqual(missingFrom(actual), missingFrom(expected))
}

/** Clocks that something in the document depends on and lacks. */
function missingFrom ({ store: { pendingStructs } }: Y.Doc): [number, number][] {
  return [...pendingStructs?.missing ?? []].sort(([a], [b]) => a - b)
}

await t.test('Whatever happens in whatever order, nothing is lost and all agree', async (t) => {
  let taken = 0
  let compactions = 0
  let acknowledged = 0
  await fc.assert(fc.asyncProperty(schedule, async (steps) => {
    taken += steps.length
    const world = await run(steps)
    compactions += world.store.compacted
    acknowledged += world.acknowledged.length
  }), {
    numRuns: Math.max(1, Math.round(totalSteps / (maxSteps / 3))),
    ...(seed !== undefined && { seed: Number(seed) }),
  })
  t.comment(`${taken} steps, ${acknowledged} acknowledgements, ${compactions} compactions`)
  t.ok(acknowledged > 0)
})
