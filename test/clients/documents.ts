import type * as Y from 'yjs'

/** The content of the types that tests edit: text, map, array, XML. */
export function content (doc: Y.Doc): unknown {
  const map = Object.entries(doc.getMap('map').toJSON()).sort(([a], [b]) => a < b ? -1 : 1)
  return [doc.getText('text').toString(), map, doc.getArray('array').toJSON(), doc.getXmlFragment('xml').toString()]
}

/** Whether both documents have the same content. */
export function areEqual (a: Y.Doc, b: Y.Doc): boolean {
  return JSON.stringify(content(a)) === JSON.stringify(content(b))
}
