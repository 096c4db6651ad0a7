import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { DeletedClients } from '../../src/update/deleted-clients.ts'
import { Known } from '../../src/update/known.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { uniteKnown } from '../../src/update/unite-known.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function knownOf (...updates: Uint8Array[]): Known {
  const known = new Known()
  for (const update of updates) known.add(scanUpdate(update))
  return known
}

/** Every update of a document, in its order. */
function recorded (doc: Y.Doc): Uint8Array[] {
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  return updates
}

await t.test('States and updates are united whatever each of them holds', async () => {
  const doc = new Y.Doc()
  const updates = recorded(doc)
  for (let at = 0; at < 30; at++) {
    doc.clientID = 1 + at % 4
    doc.getText('t').insert(0, `word ${at} `)
    if (at % 3 === 0) doc.getText('t').delete(1, 2)
  }
  const whole = hex(knownOf(...updates).encode())
  fc.assert(fc.property(fc.array(fc.nat(3), { minLength: updates.length, maxLength: updates.length }), (places) => {
    const parts = [0, 1, 2, 3].map((place) => updates.filter((_, at) => places[at] === place))
    const [first = [], second = [], third = [], loose = []] = parts
    const states = [knownOf(...first).encode(), knownOf(...second).pack(), knownOf(...third).encode()]
    return hex(uniteKnown(states, loose)) === whole
  }))
})

await t.test('An update that does not decode is left out', async (t) => {
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'text')
  const update = Y.encodeStateAsUpdate(doc)
  t.equal(hex(uniteKnown([], [update, Uint8Array.of(9, 9, 9)])), hex(knownOf(update).encode()))
})

await t.test('Whatever a page adds to a deleted text belongs to it; what a new page writes does not', async (t) => {
  const old = new Y.Doc()
  old.getText('t').insert(0, 'deleted')
  const deleted = new DeletedClients(knownOf(Y.encodeStateAsUpdate(old)), new Known())
  const page = new Y.Doc()
  Y.applyUpdate(page, Y.encodeStateAsUpdate(old))
  const updates = recorded(page)
  page.getText('t').insert(3, 'x')
  page.getText('t').delete(0, 1)
  page.clientID = old.clientID
  page.getMap('m').set('key', 'value')
  for (const update of updates) t.ok(deleted.wrote(scanUpdate(update)))
  t.ok(deleted.wrote(scanUpdate(Y.encodeStateAsUpdate(page))), 'its answer to step 1')
  t.ok(deleted.areIn(Y.encodeStateVector(page)))

  const fresh = new Y.Doc()
  fresh.getText('t').insert(0, 'new')
  fresh.getText('t').delete(0, 1)
  t.notOk(deleted.wrote(scanUpdate(Y.encodeStateAsUpdate(fresh))))
  t.notOk(deleted.areIn(Y.encodeStateVector(fresh)))
  t.notOk(deleted.areIn(Y.encodeStateVector(new Y.Doc())))
  t.notOk(deleted.wrote(scanUpdate(Uint8Array.of(0, 0))))
})

await t.test('A document that was restored from a backup keeps its clients', async (t) => {
  const [restored, lost] = [new Y.Doc(), new Y.Doc()]
  for (const doc of [restored, lost]) doc.getText('t').insert(0, 'text')
  const present = knownOf(Y.encodeStateAsUpdate(restored))
  const deleted = new DeletedClients(knownOf(...[restored, lost].map((doc) => Y.encodeStateAsUpdate(doc))), present)
  t.notOk(deleted.areIn(Y.encodeStateVector(restored)))
  t.ok(deleted.areIn(Y.encodeStateVector(lost)))
})

await t.test('A client of whom only a part beyond a gap is known has written the document too', async (t) => {
  const doc = new Y.Doc()
  const updates = recorded(doc)
  doc.getText('t').insert(0, 'a')
  doc.getMap('m').set('b', 1)
  const known = Known.decode(uniteKnown([], updates.slice(1)))
  t.ok(known.hasGaps)
  t.ok(new DeletedClients(known, new Known()).areIn(Y.encodeStateVector(doc)))
})
