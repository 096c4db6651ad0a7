import * as Y from 'yjs'

/** Small documents with every kind of content, so that random numbers hit it. Written by clients 1, 2 and 3. */
export const baseDocuments: Readonly<Record<string, Uint8Array>> = {
  nothing: Uint8Array.of(0, 0),
  text: written(true, (doc) => {
    doc.getText('text').insert(0, 'hello world')
    doc.getArray('array').push([1, new Y.Map([['k', 'v']])])
  }, (doc) => doc.getText('text').delete(2, 3)),
  formatted: written(true, (doc) => {
    doc.getText('text').insert(0, 'bold', { bold: true })
    doc.getText('text').insert(4, ' plain', { bold: null })
  }, (doc) => {
    doc.getText('text').format(1, 6, { color: 'red' })
    doc.getText('text').insertEmbed(2, { image: 'x' })
  }),
  nested: written(true, (doc) => {
    const inner = new Y.Map<unknown>([['k', 1]])
    doc.getMap('map').set('k', inner)
    inner.set('k', new Y.Array())
    doc.getArray('array').push([new Y.Map([['k', new Y.Text('in')]]), new Y.Array()])
  }, (doc) => {
    const inner = doc.getMap('map').get('k') as Y.Map<unknown> // set above
    inner.set('id', 'x')
    inner.set('id', 'y')
    doc.getArray<Y.Map<unknown>>('array').get(0).set('k', 2)
  }),
  elements: written(true, (doc) => {
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.setAttribute('id', 'p')
    paragraph.insert(0, [new Y.XmlText('some text')])
    doc.getXmlFragment('xml').insert(0, [paragraph])
  }, (doc) => {
    const paragraph = doc.getXmlFragment('xml').get(0) as Y.XmlElement // inserted above
    paragraph.setAttribute('id', 'q')
    ;(paragraph.get(0) as Y.XmlText).format(2, 3, { bold: true }) // inserted above
  }),
  uncollected: written(false, (doc) => {
    const inner = new Y.Map<unknown>()
    doc.getMap('map').set('k', inner)
    for (const value of [1, 2, 3, 4]) inner.set('k', value)
    doc.getText('text').insert(0, 'kept')
  }, (doc) => {
    doc.getText('text').delete(1, 2)
    const inner = doc.getMap('map').get('k') as Y.Map<unknown> // set above
    for (const value of [5, 6, 7]) inner.set('id', value)
  }),
  subdocuments: written(true, (doc) => {
    doc.getMap('map').set('k', new Y.Doc({ guid: 'sub0', meta: { a: 1 } }))
    doc.getArray('array').push([new Y.Doc({ guid: 'sub1', autoLoad: true })])
  }, (doc) => doc.getMap('map').set('k', new Y.Doc({ guid: 'sub2' }))),
}

/** Lets client 1 make the first change, then clients 2 and 3 the second at the same time. */
function written (gc: boolean, first: (doc: Y.Doc) => void, second: (doc: Y.Doc) => void): Uint8Array {
  const docs = [1, 2, 3].map((client) => Object.assign(new Y.Doc({ gc }), { clientID: client }))
  const [a, b, c] = docs as [Y.Doc, Y.Doc, Y.Doc] // of three
  first(a)
  for (const doc of [b, c]) Y.applyUpdate(doc, Y.encodeStateAsUpdate(a))
  second(b)
  second(c)
  Y.applyUpdate(b, Y.encodeStateAsUpdate(c))
  return Y.encodeStateAsUpdate(b)
}
