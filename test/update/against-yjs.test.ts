import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { difference } from '../../src/update/difference.ts'
import { mergeUpdates } from '../../src/update/merge-updates.ts'
import { scanUpdate } from '../../src/update/scan-update.ts'
import { snapshotPieces } from '../../src/update/snapshot-pieces.ts'
import { applied, assertSame, keepFormatting, stateVectorOf } from './documents.ts'
import { mix, reader } from './histories.ts'

// Our updates have the same effect on a client as those of Yjs itself. Unlike `applied`, these clients delete redundant
// formatting after each remote change, as real ones do, and would send the deletion to everybody.

/** `Y_PROVIDER_UPDATE_RUNS=20000` is a long run, `Y_PROVIDER_SEED` repeats one. */
const numRuns = Number(process.env['Y_PROVIDER_UPDATE_RUNS'] ?? 100)
const seed = process.env['Y_PROVIDER_SEED']
const runs = { numRuns, ...(seed !== undefined && { seed: Number(seed) }) }

/** Small enough that most histories make several pieces. */
const pieceBytes = fc.integer({ min: 64, max: 400 })

await t.test('A tick has the same effect on a client as one that Yjs merged', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 10 })
  fc.assert(fc.property(mix, sizes, ({ history, updates }, sizes) => {
    const ticks = groups(updates, sizes)
    const rest = history.docs.map((doc) => Y.encodeStateAsUpdate(doc))
    const ours = client([...ticks.map((tick) => mergeUpdates(tick.map(scanUpdate))), ...rest])
    assertSame(ours, client([...ticks.map((tick) => Y.mergeUpdates(tick)), ...rest]))
  }), runs)
})

await t.test('A snapshot has the same effect on a client as the state of a Yjs server, also when missing updates arrive', async () => {
  fc.assert(fc.property(mix, pieceBytes, ({ history, updates }, maxBytes) => {
    const { pieces } = snapshotPieces(updates, maxBytes)
    const ours = client(pieces)
    const theirs = client([Y.encodeStateAsUpdate(server(updates))])
    assertSame(ours, theirs)
    for (const doc of history.docs) {
      Y.applyUpdate(ours, Y.encodeStateAsUpdate(doc))
      Y.applyUpdate(theirs, Y.encodeStateAsUpdate(doc))
    }
    assertSame(ours, theirs)
  }), runs)
})

await t.test('A client that reconnects gets the same state as from a Yjs server, and answers with its own', async () => {
  fc.assert(fc.property(mix, fc.nat(), pieceBytes, fc.boolean(), ({ history, updates }, n, maxBytes, gc) => {
    const log = [...updates, ...history.docs.map((doc) => Y.encodeStateAsUpdate(doc))]
    const held = history.updates.slice(0, n % (history.updates.length + 1))
    const [ours, theirs] = [authored(held, gc), authored(held, gc)]
    catchUp(ours, theirs, log, maxBytes)
    const answer = Y.encodeStateAsUpdate(ours, Y.encodeStateVector(server(log)))
    assertSame(applied(snapshotPieces([...log, answer], maxBytes).pieces), applied([Y.encodeStateAsUpdate(ours)]))
  }), runs)
})

await t.test('A client that reconnects after undoing formatted text deletes the same as with a Yjs server', async () => {
  const edit = fc.record({ what: fc.nat(3), at: fc.integer({ min: 1, max: 4 }), value: fc.constantFrom(true, null) })
  fc.assert(fc.property(fc.array(edit, { minLength: 3, maxLength: 12 }), pieceBytes, (edits, maxBytes) => {
    const { author, peer } = undoneWord()
    const [ours, theirs] = [authored([Y.encodeStateAsUpdate(author)]), authored([Y.encodeStateAsUpdate(author)])]
    const text = peer.getText('text')
    for (const { what, at, value } of edits) {
      if (what < 2) text.insert(at, 'new')
      if (what === 1) text.delete(at, 3)
      if (what === 2) text.format(at, 2, { bold: value })
      if (what === 3) peer.getArray('array').push(['x'.repeat(400)])
    }
    catchUp(ours, theirs, [Y.encodeStateAsUpdate(peer)], maxBytes)
  }), runs)
})

await t.test('A difference for a client that holds part of a struct has the rest of it, cut as in Yjs', async () => {
  const someCuts = fc.array(fc.nat(), { minLength: 1, maxLength: 8 })
  fc.assert(fc.property(mix, someCuts, pieceBytes, ({ history }, cuts, maxBytes) => {
    const whole = Y.encodeStateAsUpdate(history.docs[0]!)
    const clocks = stateVectorOf(history.docs[0]!)
    const held = new Map(clocks.map(([client, clock], i) => [client, cuts[i % cuts.length]! % (clock + 1)]))
    const stateVector = Y.encodeStateVector(held)
    assert.deepEqual(unitsOf(difference([whole], stateVector, maxBytes)), unitsOf([Y.diffUpdate(whole, stateVector)]))
  }), runs)
})

await t.test('A client keeps formatting whose text comes in a later piece', async (t) => {
  const { author, peer } = undoneWord()
  const text = peer.getText('text')
  text.insert(2, 'x')
  text.delete(2, 1)
  peer.getArray('array').push(Array.from({ length: 100 }, () => 'much else'))
  text.insert(2, 'NEW')
  const pieces = difference([Y.encodeStateAsUpdate(peer)], Y.encodeStateVector(author), 300)
  for (const piece of pieces) Y.applyUpdate(author, piece)
  t.same(author.getText('text').toDelta(), [{ insert: 'NEW', attributes: { bold: true } }, { insert: ' end' }])
})

await t.test('A client that gets an incomplete log deletes formatting that seems empty, as with a Yjs server', async (t) => {
  const { author, peer } = undoneWord()
  peer.getText('text').insert(2, 'NEW')
  const [incomplete, rest] = [Y.encodeStateAsUpdate(author), Y.encodeStateAsUpdate(peer)]
  const shown = (updates: Uint8Array[]): unknown => client(updates).getText('text').toDelta()
  const plain = [{ insert: 'NEW end' }]
  t.same(shown([...snapshotPieces([incomplete], 300).pieces, rest]), plain)
  t.same(shown([Y.encodeStateAsUpdate(server([incomplete])), rest]), plain)
  const bold = [{ insert: 'NEW', attributes: { bold: true } }, { insert: ' end' }]
  t.same(shown(snapshotPieces([incomplete, rest], 300).pieces), bold)
  t.same(shown([Y.encodeStateAsUpdate(server([incomplete, rest]))]), bold)
})

await t.test('Of copies that differ the first one stays, as in Yjs', async (t) => {
  const author = new Y.Doc()
  author.getText('text').insert(0, '😀a')
  const original = Y.encodeStateAsUpdate(author)
  author.getText('text').insert(3, 'b')
  const peer = new Y.Doc()
  Y.applyUpdate(peer, Y.encodeStateAsUpdate(author))
  // Yjs cuts the surrogate pair to look for what it must change, finds nothing, and writes both halves as U+FFFD
  // (yjs#248).
  peer.getText('text').format(1, 1, { bold: null })
  const cut = Y.encodeStateAsUpdate(peer)
  const shown = (updates: Uint8Array[]): string => client(updates).getText('text').toString()
  for (const [log, text] of [[[original, cut], '😀ab'], [[cut, original], '\uFFFD\uFFFDab']] as const) {
    t.equal(shown([...log]), text, 'applied by Yjs one after the other')
    t.equal(shown([mergeUpdates(log.map(scanUpdate))]), text, 'merged')
    t.equal(shown(snapshotPieces(log, 1000).pieces), text, 'a snapshot')
    t.equal(shown([...snapshotPieces(log.slice(0, 1), 1000).pieces, log[1]]), text, 'a snapshot of an incomplete log, then the rest')
    t.equal(shown(difference(log, Uint8Array.of(0), 1000)), text, 'a difference')
  }
})

/** Updates in groups of these sizes, which repeat. */
function groups (updates: readonly Uint8Array[], sizes: readonly number[]): Uint8Array[][] {
  const found: Uint8Array[][] = []
  for (let from = 0; from < updates.length; from += found.at(-1)!.length) {
    found.push(updates.slice(from, from + sizes[found.length % sizes.length]!))
  }
  return found
}

/** A document as in an application. */
function client (updates: Iterable<Uint8Array>): Y.Doc {
  const doc = reader()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** An author undoes a bold word that a peer still has: bold on and bold off remain, with nothing between them. */
function undoneWord (): { author: Y.Doc, peer: Y.Doc } {
  const [author, peer] = [new Y.Doc(), new Y.Doc()]
  const text = author.getText('text')
  const undo = new Y.UndoManager(text, { trackedOrigins: new Set(['typing']) })
  text.insert(0, ' end')
  author.transact(() => text.insert(0, 'word'), 'typing')
  text.format(0, 4, { bold: true })
  Y.applyUpdate(peer, Y.encodeStateAsUpdate(author))
  undo.undo()
  return { author, peer }
}

/** Brings two equal clients to the state of the log, one with our difference and one with Yjs's, and compares them. */
function catchUp (ours: Y.Doc, theirs: Y.Doc, log: readonly Uint8Array[], maxBytes: number): void {
  const stateVector = Y.encodeStateVector(ours)
  for (const piece of difference(log, stateVector, maxBytes)) Y.applyUpdate(ours, piece)
  Y.applyUpdate(theirs, Y.encodeStateAsUpdate(server(log), stateVector))
  assertSame(ours, theirs)
}

/** A client that has made these changes itself. */
function authored (updates: Iterable<Uint8Array>, gc = true): Y.Doc {
  const doc = reader(gc)
  doc.on('beforeObserverCalls', keepFormatting)
  for (const update of updates) Y.applyUpdate(doc, update)
  doc.off('beforeObserverCalls', keepFormatting)
  return doc
}

/** A document as on a server, which knows no types. */
function server (updates: Iterable<Uint8Array>): Y.Doc {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** Client, clock and content of each clock, however it lies in structs. */
function unitsOf (updates: readonly Uint8Array[]): string[] {
  return updates.flatMap((update) => Y.decodeUpdate(update).structs).flatMap(({ id, length, ...struct }) => {
    const content = 'content' in struct ? struct.content : undefined
    const values = content instanceof Y.ContentType ? [] : content?.getContent()
    return Array.from({ length }, (_, i) => `${id.client} ${id.clock + i} ${content?.constructor.name} ${String(values?.[i])}`)
  }).sort()
}
