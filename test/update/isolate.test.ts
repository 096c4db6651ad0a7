import t from 'tap'
import * as Y from 'yjs'
import { ByteWriter } from '../../src/update/byte-writer.ts'
import { isolate } from '../../src/update/isolate.ts'
import { mergeRuns } from '../../src/update/merge-updates.ts'
import { scanUnchecked, scanUpdate, type ScannedUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Client 1's text, and the update with which it continues typing. */
function written (): { doc: Y.Doc, base: Uint8Array, later: () => Uint8Array } {
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('text').insert(0, 'good')
  const base = Y.encodeStateAsUpdate(doc)
  return {
    doc,
    base,
    later: () => {
      doc.getText('text').insert(doc.getText('text').length, ' more')
      return Y.encodeStateAsUpdate(doc, Y.encodeStateVectorFromUpdate(base))
    },
  }
}

function textOf (updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

await t.test('Of what older versions stored, only what Yjs cannot apply is left out', async (t) => {
  const cases: Record<string, string> = {
    'an origin that is the struct itself': '01010300840300017800',
    'an origin ahead of it': '01010300840305017800',
    'a right origin that is the struct itself': '01010300440300017800',
    'a parent that is the struct itself': '0101030004000300017800',
    'JSON nested by thousands': '',
    'a subdocument whose id is no text': '010103000901047465787401 67 7601 04 67756964 7e 00',
  }
  for (const [name, given] of Object.entries(cases)) {
    const bad = given === '' ? deepEmbed() : hex(given)
    const { base, later } = written()
    const { pieces, setAside, known } = snapshotPieces([bad, base], 1000)
    t.equal(textOf(pieces), 'good', name)
    t.match(setAside, [{ index: 0, update: bad, reason: /^It has a struct that Yjs cannot apply: / }], name)
    t.equal(known.stateVector.get(3), 1, `${name}: its clocks are filled`)
    t.equal(textOf([...pieces, later()]), 'good more', `${name}: later edits arrive`)
    const next = Uint8Array.of(1, 1, 3, 1, 4, 1, 4, ...Buffer.from('text'), 1, 33, 0)
    t.match(textOf([...pieces, next]), '!', `${name}: and those of its client`)
  }
})

await t.test('Structs without length and a client with two sections are repaired, not set aside', async (t) => {
  const { base } = written()
  const [, , ...section] = base.subarray(0, base.length - 1)
  for (const odd of [hex('01010300 04010474657874 00 00'), hex('0001030102 00'), hex('010103000000 00'), Uint8Array.of(3, 1, 7, 0, 0, 1, 1, ...section, 1, 7, 1, 0, 1, 0)]) {
    const { pieces } = snapshotPieces([odd, base], 1000)
    t.equal(textOf(pieces), 'good')
    for (const piece of pieces) t.doesNotThrow(() => scanUpdate(piece))
  }
})

await t.test('A snapshot piece of an older version loses only its bad structs', async (t) => {
  const { base, later } = written()
  const all = [base, hex('01010300840300017800')].map(scanUnchecked)
  const piece = mergeRuns(all, () => true, all[0]!.deleteSet)
  const { pieces, setAside } = snapshotPieces([piece, later()], 1000)
  t.equal(textOf(pieces), 'good more')
  t.same(setAside.map(({ index }) => index), [0])
})

await t.test('Several values under a key, split and collected with their parent, leave a document readable', async (t) => {
  const poison = hex('02010300050100077b2265223a317d030200a4010d0378797a8402000178a903060267307600020101090401010001')
  const doc = new Y.Doc()
  doc.clientID = 1
  doc.getText('t').insert(0, 'hello world')
  doc.getArray('a').push([1, new Y.Map([['k', 'v']])])
  const base = Y.encodeStateAsUpdate(doc)
  t.throws(() => { for (const update of [base, poison, hex('0001010109 04')]) Y.applyUpdate(doc, update) }, { message: 'Unexpected case' })
  const { pieces, setAside } = snapshotPieces([base, poison], 1000)
  t.same(setAside.map(({ index }) => index), [1])
  const reader = new Y.Doc()
  for (const piece of [...pieces, hex('000101010904')]) Y.applyUpdate(reader, piece)
  t.match(reader.getText('t').toString(), /ello wor/)
})

await t.test('The update that makes Yjs throw is set aside, not the one for which it waited', async (t) => {
  const client = (id: number): Uint8Array => Uint8Array.of(1, 1, id, 0, 4, 1, 1, 97, 1, 98, 0)
  // Waits for client 6.
  const bad = hex('01010700 840600 0178 00')
  const updates = [client(9), bad, client(6), client(8)]
  const { setAside, merged } = isolate(updates, throwsOn(7, 6))
  t.same(setAside.map(({ index }) => index), [1])
  t.same(Array.from(merged.runs).map((run) => run.client), [9, 8, 7, 6], 'the clocks of its structs are filled')
})

await t.test('Many bad updates among many good ones are found in a bounded number of builds', async (t) => {
  const client = (id: number): Uint8Array => Uint8Array.of(1, 1, id, 0, 4, 1, 1, 97, 1, 98, 0)
  const updates = Array.from({ length: 120 }, (_, i) => client(i))
  let builds = 0
  const few = isolate(updates, (update) => { builds++; return throwsOn(20, 20)(update) ?? null })
  t.same(few.setAside.map(({ index }) => index), [20])
  t.ok(builds < 25, `${builds} builds`)
  builds = 0
  const many = isolate(updates, (update) => { builds++; return holdsText(update, (id) => id % 2 === 0) ? null : 'fine' })
  t.ok(builds <= 202, `${builds} builds`)
  for (let i = 0; i < 120; i += 2) t.ok(many.setAside.some(({ index }) => index === i))
})

/** A Yjs that throws where the texts of both clients come together. */
function throwsOn (a: number, b: number): (update: ScannedUpdate) => string | null {
  return (update) => holdsText(update, (id) => id === a) && holdsText(update, (id) => id === b) ? null : 'fine'
}

function holdsText ({ runs, bytes }: ScannedUpdate, isMeant: (client: number) => boolean): boolean {
  return Array.from(runs).some(({ client, from }) => isMeant(client) && bytes[from] !== 0)
}

function deepEmbed (): Uint8Array {
  const json = Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))
  const writer = new ByteWriter()
  for (const number of [1, 1, 3, 0, 5, 1, 1, 97]) writer.varUint(number)
  writer.varUint(json.length)
  writer.copy(json)
  writer.varUint(0)
  return writer.finish()
}
