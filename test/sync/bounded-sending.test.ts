import t from 'tap'
import * as Y from 'yjs'
import { encodeUpdate } from '../../src/protocol/encode-message.ts'
import { framePartsOf, framesOf, hocuspocusAddress, noAddress, sharedMessageBytes } from '../../src/protocol/frame.ts'
import { pieceBytes } from '../../src/sync/limits.ts'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { Engine, typing, until, type Peer } from './engine.ts'

/** What can be queued for one socket that reads nothing: a piece, and the frames around it. */
const atMost = pieceBytes + 1024

/** A room whose presence takes about 1 MB. */
async function crowded (engine: Engine, people = 16): Promise<Peer[]> {
  const state = { text: 'x'.repeat(60_000) }
  const peers: Peer[] = []
  for (let id = 1; id <= people; id++) {
    const peer = await engine.joinLive()
    peer.awareness(id, 1, state)
    peers.push(peer)
  }
  await until(() => peers[0]?.room.awareness.hasChanged === false)
  return peers
}

/** An update that deletes every other clock of a client whose content was collected: many ranges, no structs. */
function manyDeletions (ranges: number): Uint8Array {
  const writer = new ByteWriter(ranges * 5)
  for (const number of [0, 1, 7, ranges]) writer.varUint(number)
  for (let index = 0; index < ranges; index++) {
    writer.varUint(2 * index + 2 ** 21)
    writer.varUint(1)
  }
  return writer.finish()
}

/** The clients whose presence a client has received. */
const toldOf = (peer: Peer): number => new Set(peer.all('awareness').flatMap(({ entries }) => entries.map(({ clientId }) => clientId))).size

/** Reads what has arrived, again and again, until the condition holds. */
async function readUntil (peer: Peer, isEnough: () => boolean): Promise<void> {
  await until(() => {
    peer.socket.read()
    return isEnough()
  })
}

await t.test('A new client receives the presence of a crowd piece by piece, as it reads', async (t) => {
  const engine = new Engine()
  await crowded(engine)
  for (const wire of ['y-websocket', 'hocuspocus'] as const) {
    const peer = engine.join('room', { wire, isDeaf: true })
    await until(() => peer.socket.buffered > 0)
    t.ok(peer.socket.buffered <= atMost, `${wire}: ${peer.socket.buffered} bytes wait`)
    peer.askFor(new Y.Doc())
    await readUntil(peer, () => peer.all('step2').length > 0)
    t.equal(toldOf(peer), 16)
    t.equal(peer.connection.phase, 'live')
    peer.leave()
  }
})

await t.test('Presence that changes while a new client receives it arrives too', async (t) => {
  const engine = new Engine()
  const [first] = await crowded(engine)
  const peer = engine.join('room', { isDeaf: true })
  await until(() => peer.socket.buffered > 0)
  first?.awareness(1, 2, { text: 'moved' })
  await until(() => peer.connection.progress.owesAwareness)
  await readUntil(peer, () => peer.all('awareness').some(({ entries }) => entries.some(({ state }) => state === '{"text":"moved"}')))
  t.equal(peer.closed, undefined)
})

await t.test('A client that queries the presence of a crowd receives it piece by piece', async (t) => {
  const engine = new Engine()
  await crowded(engine)
  const peer = await engine.joinLive()
  peer.heard.splice(0)
  peer.socket.stopReading()
  peer.say({ type: 'query-awareness' })
  await until(() => peer.socket.buffered > 0)
  t.ok(peer.socket.buffered <= atMost, `${peer.socket.buffered} bytes wait`)
  await readUntil(peer, () => toldOf(peer) === 16 && peer.connection.phase === 'live')
})

await t.test('A large delete set is sent piece by piece, and is complete before step 2', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  writer.update(manyDeletions(200_000))
  await until(() => engine.rooms.counters.updates === 1)
  await engine.rooms.flushed()
  // The update itself leaves memory; the room's knowledge of it stays.
  writer.room.content.recent.trim(0)
  for (const wire of ['y-websocket', 'hocuspocus'] as const) {
    const peer = engine.join('room', { wire })
    peer.socket.stopReading()
    peer.askFor(new Y.Doc())
    await until(() => peer.socket.buffered > 0)
    t.ok(peer.socket.buffered <= atMost, `${wire}: ${peer.socket.buffered} bytes wait`)
    await readUntil(peer, () => peer.all('step2').length > 0)
    const merged = Y.mergeUpdates([...peer.all('update'), ...peer.all('step2')].map(({ bytes }) => bytes))
    t.equal(Y.decodeUpdate(merged).ds.clients.get(7)?.length, 200_000)
    peer.leave()
  }
})

await t.test('Updates that accumulated while a socket was slow are queued for it one by one', async (t) => {
  const engine = new Engine({ maxSocketBufferBytes: 10_000 })
  const [writer, slow] = [await engine.joinLive(), await engine.joinLive()]
  slow.socket.stopReading()
  const updates = typing(...Array.from({ length: 8 }, () => 'x'.repeat(120_000)))
  for (const [index, update] of updates.entries()) {
    writer.update(update)
    await until(() => engine.rooms.counters.updates === index + 1 && engine.rooms.counters.ticks > index)
  }
  t.ok(slow.socket.buffered <= atMost)
  slow.socket.read()
  slow.socket.stopReading()
  await until(() => slow.socket.buffered > 0)
  t.ok(slow.socket.buffered <= atMost, `${slow.socket.buffered} bytes wait`)
  await readUntil(slow, () => slow.text.length === 960_000)
})

await t.test('A large message is encoded once for all recipients, whatever their addresses', async (t) => {
  const large = encodeUpdate(typing('x'.repeat(sharedMessageBytes))[0]!)
  const small = Uint8Array.of(1, 2, 3)
  for (const address of [noAddress, hocuspocusAddress('room\0one'), hocuspocusAddress('room\0two')]) {
    const parts = framePartsOf(address, [small, small, large, small, large])
    t.equal(parts.filter((part) => part === large).length, 2)
    t.ok(Buffer.concat(parts).equals(framesOf(address, [small, small, large, small, large])))
    t.equal(framePartsOf(address, [small, small]).length, 1)
  }
})
