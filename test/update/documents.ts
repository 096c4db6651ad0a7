import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { DeleteSet } from '../../src/update/delete-set.ts'
import { reader } from './histories.ts'

/**
 * A listener for `beforeObserverCalls` that keeps a document from deleting formatting by itself. After remote changes
 * Yjs deletes redundant formatting, depending on how the changes were grouped; it leaves local changes alone.
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

/** Compares content, clocks, deletions and pending structs of two documents. */
export function assertSame (actual: Y.Doc, expected: Y.Doc): void {
  assert.deepEqual(shown(actual), shown(expected))
  assert.deepEqual(stateVectorOf(actual), stateVectorOf(expected))
  assert.deepEqual(Y.createDeleteSetFromStructStore(actual.store), Y.createDeleteSetFromStructStore(expected.store))
  assert.equal(actual.store.pendingStructs === null, expected.store.pendingStructs === null, 'pending structs')
  assert.equal(actual.store.pendingDs === null, expected.store.pendingDs === null, 'pending deletions')
}

/** The state vector of a document, highest client first. */
export function stateVectorOf (doc: Y.Doc): [client: number, clock: number][] {
  return [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => b - a)
}

/** The deletions of a document's structs as a `DeleteSet`. */
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

/** Replaces subdocuments, which are different objects in each document, by their ids. */
function plain (map: Record<string, unknown>): unknown {
  const plainValue = (value: unknown) => value instanceof Y.Doc ? { subdocument: value.guid } : value
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, plainValue(value)]))
}
