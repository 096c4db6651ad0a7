import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { DeleteSet } from '../../src/update/delete-set.ts'
import { reader } from './histories.ts'

/**
 * After remote changes Yjs deletes formatting that has become redundant, and what it finds depends on how the changes were grouped. It leaves local ones
 * alone: a document with this listener for `beforeObserverCalls` deletes nothing by itself.
 */
export function keepFormatting (transaction: Y.Transaction): void {
  transaction.local = true
}

/** A fresh document with all of these applied one after the other. */
export function applied (updates: Iterable<Uint8Array>, gc = true): Y.Doc {
  const doc = reader(gc)
  doc.on('beforeObserverCalls', keepFormatting)
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** Everything that two documents could differ in: what is shown, clocks, deletions, what waits for something missing. */
export function assertSame (actual: Y.Doc, expected: Y.Doc): void {
  assert.deepEqual(shown(actual), shown(expected))
  assert.deepEqual(stateVectorOf(actual), stateVectorOf(expected))
  assert.deepEqual(Y.createDeleteSetFromStructStore(actual.store), Y.createDeleteSetFromStructStore(expected.store))
  assert.equal(actual.store.pendingStructs === null, expected.store.pendingStructs === null, 'pending structs')
  assert.equal(actual.store.pendingDs === null, expected.store.pendingDs === null, 'pending deletions')
}

export function stateVectorOf (doc: Y.Doc): [client: number, clock: number][] {
  return [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => b - a)
}

/** The deletions of a document's structs, as our set. */
export function deleteSetOf (doc: Y.Doc): DeleteSet {
  const set = new DeleteSet()
  Y.createDeleteSetFromStructStore(doc.store).clients.forEach((items, client) => {
    for (const { clock, len } of items) set.add(client, clock, len)
  })
  return set
}

function shown (doc: Y.Doc): unknown {
  return {
    text: doc.getText('text').toDelta(),
    map: plain(doc.getMap('map').toJSON()),
    array: doc.getArray('array').toJSON(),
    xml: doc.getXmlFragment('xml').toString(),
  }
}

/** A subdocument stands for itself by its id; it is another object in each document. */
function plain (map: Record<string, unknown>): unknown {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, value instanceof Y.Doc ? { subdocument: value.guid } : value]))
}
