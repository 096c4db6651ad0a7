import t from 'tap'
import * as Y from 'yjs'
import { closes } from '../../src/protocol/close-codes.ts'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { Known } from '../../src/update/known.ts'
import { scanUnchecked, scanUpdate } from '../../src/update/scan-update.ts'
import { kinds } from '../../src/update/struct-reader.ts'
import { edited, Engine, typing, until } from './engine.ts'

/** Number of `YXmlElement` among Yjs' types (yjs/src/structs/ContentType.js) */
const xmlElement = 3

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** Updates that decode and that Yjs cannot apply, each for a different reason; client 4000000 writes them. */
const poisons: Readonly<Record<string, Uint8Array>> = {
  'a list item that is its own parent': bytes('010180' + '92f401' + '00' + '08' + '00' + '80' + '92f401' + '00' + '01' + '7e' + '00'),
  'a text whose right origin is itself': bytes('010180' + '92f401' + '00' + '44' + '80' + '92f401' + '00' + '0178' + '00'),
  'an embed placed after a later one of its own': bytes('010280' + '92f401' + '00' + '85' + '80' + '92f401' + '01' + '027b7d' + '05' + '010174' + '027b7d' + '00'),
  'a format without a length after a good text': bytes('010280' + '92f401' + '00' + '04' + '010174' + '0178' + '00' + '00' + '00'),
  'an empty deletion, of an unknown client': bytes('00' + '01' + '80' + '92f401' + '01' + '05' + '00'),
  'a client that occurs twice': bytes('02' + '01' + '80' + '92f401' + '00' + '00' + '01' + '01' + '80' + '92f401' + '01' + '00' + '01' + '00'),
}

/** A document with `text` in it, as Yjs reads it from the store. */
async function storedText (engine: Engine): Promise<string> {
  const doc = new Y.Doc()
  for (const update of engine.store.updates('room')) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

await t.test('An update that Yjs cannot apply closes its sender with 1007, and nobody receives any of it', async (t) => {
  for (const [kind, poison] of Object.entries(poisons)) {
    scanUnchecked(poison)
    for (const wire of ['y-websocket', 'hocuspocus'] as const) {
      for (const type of ['update', 'sync-step-2'] as const) {
        const engine = new Engine()
        const honest = await engine.joinLive()
        honest.update(typing('honest')[0]!)
        await until(() => engine.rooms.counters.updates === 1)
        const mallory = await engine.joinLive('room', { wire })
        const heard = honest.heard.length
        mallory.say({ type, update: poison })
        t.equal(mallory.closed, closes.malformed, `${kind}, ${type}, ${wire}`)
        await engine.rooms.flushed()
        t.equal(honest.heard.length, heard)
        t.equal(await storedText(engine), 'honest')
      }
    }
  }
})

/** A document whose map contains a value; a struct placed after that value belongs to its key. */
function keyedDocument (): { doc: Y.Doc, update: Uint8Array } {
  const doc = new Y.Doc()
  doc.clientID = 1
  const update = edited(doc, () => {
    doc.getText('text').insert(0, 'text')
    doc.getMap('map').set('key', 'value')
  })
  return { doc, update }
}

/** `text` after the struct of client 1 at this clock, by client 2. */
function placedBehind (clock: number, text: string): Uint8Array {
  const writer = new ByteWriter()
  for (const byte of [1, 1, 2, 0, 0x84, 1, clock, text.length]) writer.byte(byte)
  writer.copy(Buffer.from(text))
  writer.varUint(0)
  return writer.finish()
}

await t.test('A text whose place only the document shows is looked up there: it is accepted after a text, rejected under a key', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  writer.update(keyedDocument().update)
  await until(() => engine.rooms.counters.updates === 1)
  const [honest, mallory] = [await engine.joinLive(), await engine.joinLive()]
  mallory.update(placedBehind(4, 'long'))
  honest.update(placedBehind(3, ' and more'))
  await until(() => engine.rooms.counters.updates === 2 && mallory.closed !== undefined)
  t.equal(mallory.closed, closes.malformed)
  await engine.rooms.flushed()
  t.equal(await storedText(engine), 'text and more')
  t.equal(engine.work.inspections, 1, 'the document is read once for both')
})

await t.test('Once the document was read, the room knows where a text is placed, also after later updates', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const { doc, update } = keyedDocument()
  writer.update(update)
  writer.update(edited(doc, () => { doc.getText('text').insert(4, ' pasted') }))
  await until(() => engine.rooms.counters.updates === 2)
  for (const key of ' typed') writer.update(edited(doc, () => { doc.getText('text').insert(doc.getText('text').length, key) }))
  writer.update(edited(doc, () => { doc.getMap('map').set('other', 1) }))
  const clock = Y.decodeStateVector(Y.encodeStateVector(doc)).get(1)! - 1
  await until(() => engine.rooms.counters.updates === 9)
  // From now on nothing can be read.
  engine.store.loads.shut()
  const mallory = engine.join()
  mallory.update(placedBehind(clock, 'long'))
  writer.update(edited(doc, () => { doc.getText('text').insert(doc.getText('text').length, ' and pasted') }))
  await until(() => engine.rooms.counters.updates === 10)
  t.equal(mallory.closed, closes.malformed)
  t.equal(engine.work.inspections, 1)
})

await t.test('No client waits for a store that cannot be read', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const { doc, update } = keyedDocument()
  writer.update(update)
  await until(() => engine.rooms.counters.updates === 1)
  engine.store.loads.fail()
  writer.update(edited(doc, () => { doc.getText('text').insert(4, ' pasted') }))
  await until(() => engine.rooms.counters.updates === 2)
  t.equal(writer.closed, undefined)
})

await t.test('A keystroke is never looked up', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  for (const update of typing(...'keystrokes')) writer.update(update)
  await until(() => engine.rooms.counters.updates === 10)
  t.equal(engine.work.inspections, 0)
})

await t.test('Messages after a text that is being looked up wait for it, and are accepted even if their author has left', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const { doc, update } = keyedDocument()
  writer.update(update)
  await until(() => engine.rooms.counters.updates === 1)
  engine.work.scans.shut()
  writer.update(edited(doc, () => { doc.getText('text').insert(4, ' pasted') }))
  for (const key of ' and typed') writer.update(edited(doc, () => { doc.getText('text').insert(doc.getText('text').length, key) }))
  writer.leave()
  engine.work.scans.open()
  await until(() => engine.rooms.openRooms === 0)
  t.equal(await storedText(engine), 'text pasted and typed')
})

await t.test('Repeated content is removed before it is stored and relayed, even if it contradicts the stored content', async (t) => {
  const engine = new Engine()
  const [writer, reader] = [await engine.joinLive(), await engine.joinLive()]
  const doc = new Y.Doc()
  doc.clientID = 9
  writer.update(edited(doc, () => { doc.getText('text').insert(0, 'held') }))
  await until(() => reader.text === 'held')
  const other = new Y.Doc()
  other.clientID = 9
  writer.update(edited(other, () => { other.getText('elsewhere').insert(0, 'OTHER and longer') }))
  await until(() => engine.rooms.counters.updates === 2)
  await engine.rooms.flushed()
  const known = new Known()
  const last = engine.store.updates('room').at(-1)!
  known.add(scanUpdate(last))
  t.equal([...scanUpdate(last).runs][0]?.clock, 4)
  t.equal(await storedText(engine), 'heldR and longer')
  t.equal(reader.text, 'heldR and longer')
})

await t.test('Stored updates that Yjs cannot apply are set aside when the document is opened, and the rest is available', async (t) => {
  for (const [kind, poison] of Object.entries(poisons)) {
    const engine = new Engine()
    const doc = new Y.Doc()
    const good = Array.from('abc', (letter, index) => edited(doc, () => { doc.getText('text').insert(index, letter) }))
    await engine.store.append([good[0]!, good[1]!, poison, good[2]!].map((update) => ({ document: 'room', update })))
    const peer = await engine.joinLive()
    t.equal(peer.text, 'abc', kind)
    t.equal(engine.rooms.counters.updatesSetAside, 1)
    t.same((await engine.store.setAside('room')).map(({ update }) => Buffer.from(update).toString('hex')), [Buffer.from(poison).toString('hex')])
    t.ok(engine.log.lines.some((line) => line.startsWith('Set aside updates that Yjs cannot apply')))
    // A second visit finds nothing to repair.
    peer.leave()
    await until(() => engine.rooms.openRooms === 0)
    t.equal((await engine.joinLive()).text, 'abc')
    t.equal(engine.rooms.counters.updatesSetAside, 1)
  }
})

await t.test('Such updates in a one-piece snapshot of an older version are set aside too', async (t) => {
  const engine = new Engine()
  const doc = new Y.Doc()
  const good = edited(doc, () => { doc.getText('text').insert(0, 'honest') })
  await engine.store.append([{ document: 'room', update: good }])
  const piece = Y.mergeUpdates([good, poisons['a text whose right origin is itself']!])
  const known = new Known()
  known.add(scanUnchecked(piece))
  await engine.store.compact('room', { replaces: 0, upTo: 1, pieces: [piece], known: known.encode() })
  const peer = await engine.joinLive()
  t.equal(peer.text, 'honest')
  t.equal(engine.rooms.counters.updatesSetAside, 1)
})

await t.test('A client whose edit was set aside can continue to write, and its updates do not stay pending', async (t) => {
  const engine = new Engine()
  const doc = new Y.Doc()
  doc.clientID = 4_000_000
  await engine.store.append([{ document: 'room', update: poisons['a text whose right origin is itself']! }])
  const peer = await engine.joinLive()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer.doc))
  peer.update(edited(doc, () => { doc.getText('text').insert(0, 'later') }))
  await until(() => engine.rooms.counters.updates === 1)
  t.equal((await engine.joinLive()).text, 'later')
})

/** One collected struct of each of so many clients. */
function ofClients (count: number, first = 1): Uint8Array {
  const writer = new ByteWriter(count * 10)
  writer.varUint(count)
  for (let client = first + count - 1; client >= first; client--) {
    for (const number of [1, client, 0, 0, 1]) writer.varUint(number)
  }
  writer.varUint(0)
  return writer.finish()
}

await t.test('An update of many clients is applied step by step, and read in full by clients that join meanwhile', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive('room', { wire: 'hocuspocus' })
  writer.update(ofClients(20_000))
  const joiner = await engine.joinLive()
  await until(() => engine.rooms.counters.updates === 1)
  await engine.rooms.flushed()
  await until(() => writer.all('status').length === 1)
  await until(() => Y.decodeStateVector(Y.encodeStateVector(joiner.doc)).size === 20_000)
  t.equal(writer.closed, undefined)
})

await t.test('The number of clients and of deletion ranges in a document is bounded', async (t) => {
  const engine = new Engine({ maxDocumentClients: 10 })
  const writer = await engine.joinLive()
  writer.update(ofClients(5))
  writer.update(ofClients(5, 6))
  t.equal(writer.closed, undefined)
  writer.update(ofClients(1, 11))
  t.equal(writer.closed, closes.tooLarge)
  const editor = await new Engine({ maxDocumentDeleteRanges: 5 }).joinLive()
  const doc = new Y.Doc()
  editor.update(edited(doc, () => { doc.getText('text').insert(0, 'a text of some length') }))
  for (let at = 0; at < 5; at++) editor.update(edited(doc, () => { doc.getText('text').delete(at, 1) }))
  t.equal(editor.closed, undefined)
  editor.update(edited(doc, () => { doc.getText('text').delete(7, 1) }))
  t.equal(editor.closed, closes.tooLarge)
})

await t.test('A client is charged for expensive input by its parts, in updates, questions and presences', async (t) => {
  const engine = new Engine()
  const update = ofClients(60_000)
  const stateVector = Y.encodeStateVector(new Map(Array.from({ length: 90_000 }, (_, client) => [client, 1])))
  const writer = await engine.joinLive()
  writer.update(update)
  await until(() => engine.rooms.counters.updates === 1)
  t.equal(writer.closed, undefined)
  // On a busy machine the budget refills meanwhile.
  for (let count = 0; count < 20; count++) writer.update(update)
  await until(() => writer.closed !== undefined, 60_000)
  t.equal(writer.closed, closes.tooMany)
  const reader = await engine.joinLive('other', { canEdit: false })
  for (let count = 0; count < 5; count++) reader.say({ type: 'sync-step-1', stateVector })
  t.equal(reader.closed, undefined)
  reader.say({ type: 'sync-step-1', stateVector })
  t.equal(reader.closed, closes.tooMany)
})

/** Elements, each inside the one before, so many in each update; then their deletion from the first one on. */
function * nested (levels: number, perUpdate: number): Generator<Uint8Array> {
  for (let clock = 0; clock < levels; clock += perUpdate) {
    const writer = new ByteWriter(perUpdate * 8)
    for (const number of [1, perUpdate, 9, clock]) writer.varUint(number)
    for (let level = clock; level < clock + perUpdate; level++) {
      writer.byte(kinds.type)
      // The first one's parent is the root `t`.
      for (const number of level === 0 ? [1, 1, 't'.charCodeAt(0)] : [0, 9, level - 1]) writer.varUint(number)
      for (const number of [xmlElement, 1, 'p'.charCodeAt(0)]) writer.varUint(number)
    }
    writer.varUint(0)
    yield writer.finish()
  }
}

await t.test('Types nested a few at a time count as deep as those in one update', async (t) => {
  for (const isReopened of [false, true]) {
    const engine = new Engine()
    const honest = await engine.joinLive()
    let mallory = await engine.joinLive()
    for (const update of nested(6000, 200)) {
      if (mallory.closed !== undefined) break
      const { updates } = engine.rooms.counters
      mallory.update(update)
      await until(() => mallory.closed !== undefined || engine.rooms.counters.updates > updates)
      if (!isReopened || mallory.closed !== undefined) continue
      mallory.leave()
      honest.leave()
      await until(() => engine.rooms.openRooms === 0)
      mallory = await engine.joinLive()
    }
    t.equal(mallory.closed, closes.malformed)
    const reader = await engine.joinLive()
    t.ok((Y.decodeStateVector(Y.encodeStateVector(reader.doc)).get(9) ?? 0) <= 1000, 'no deeper than a browser can delete')
    const writer = await engine.joinLive()
    writer.update(Uint8Array.of(0, 1, 9, 1, 0, 1))
    await until(() => reader.doc.getText('t').length === 0)
  }
})

await t.test('A client that types paragraphs is never disconnected', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const doc = new Y.Doc()
  const root = doc.getXmlFragment('doc')
  for (let count = 1; count <= 1200; count++) {
    writer.update(edited(doc, () => { root.push([new Y.XmlElement('paragraph')]) }))
    if (count % 100 === 0) await until(() => engine.rooms.counters.updates === count)
  }
  t.equal(writer.closed, undefined)
})

await t.test('No client waits for a store that hangs', async (t) => {
  const engine = new Engine()
  const writer = await engine.joinLive()
  const { doc, update } = keyedDocument()
  writer.update(update)
  await until(() => engine.rooms.counters.updates === 1)
  engine.store.loads.shut()
  writer.update(edited(doc, () => { doc.getText('text').insert(4, ' pasted') }))
  await until(() => engine.rooms.counters.updates === 2)
  writer.update(edited(doc, () => { doc.getText('text').insert(4, ' again') }))
  await until(() => engine.rooms.counters.updates === 3)
  t.equal(writer.closed, undefined)
})
