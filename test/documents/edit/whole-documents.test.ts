import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { standardTable as table } from '../../../src/convert/blocks/standard-table.ts'
import { describeContent } from '../../../src/documents/edit/describe-type.ts'
import { edit } from '../../../src/documents/edit/edit.ts'
import { tries } from '../../update/tries.ts'
import { docOf, documentOf, stateOf, textsOf, xmlOf } from './edited.ts'

/** Seed of the random documents; `EDIT_SEED` tries others. */
const seed = Number(process.env['EDIT_SEED'] ?? 7)

const replace = (state: Uint8Array, input: Uint8Array) => edit({ type: 'replace', state, input, from: 'yjs' }, table).update
const merge = (state: Uint8Array, input: Uint8Array) => edit({ type: 'merge', state, input }, table).update
const copy = (state: Uint8Array, withoutComments = false) => edit({ type: 'copy', state, withoutComments }, table).update

/** The visible content of each root that has any. */
function contentOf (...updates: Array<Uint8Array | undefined>): unknown {
  return [...docOf(...updates).share].map(([name, root]) => [name, describeContent(root)])
    .filter(([, content]) => content !== '()').sort()
}

/** A random change of a document with every kind of root and nested types. */
type Change = readonly [kind: number, place: number, value: number]

const changes = fc.array(fc.tuple(fc.nat(7), fc.nat(50), fc.nat(50)), { maxLength: 20 })

function change (doc: Y.Doc, [kind, place, value]: Change): void {
  const text = doc.getText('text')
  const list = doc.getArray('list')
  const map = doc.getMap('map')
  const nodes = doc.getXmlFragment('nodes')
  const at = (length: number) => place % (length + 1)
  if (kind === 0) text.insert(at(text.length), `w${value} `, value % 2 === 0 ? { bold: true } : {})
  else if (kind === 1 && text.length > 0) text.delete(place % text.length, 1)
  else if (kind === 2 && text.length > 3) text.format(place % (text.length - 2), 2, { color: value % 3 === 0 ? null : 'red' })
  else if (kind === 3) list.insert(at(list.length), [nested(value)])
  else if (kind === 4 && list.length > 0) list.delete(place % list.length, 1)
  else if (kind === 5) map.set(`k${place % 4}`, nested(value))
  else if (kind === 6) {
    const element = new Y.XmlElement(value % 4 === 0 ? 'heading' : 'paragraph')
    if (value % 2 === 0) element.setAttribute('id', `i${value}`)
    element.insert(0, [new Y.XmlText(`some words ${value}`), new Y.XmlElement('hardBreak'), new Y.XmlText('end')])
    nodes.insert(at(nodes.length), [element])
  } else if (nodes.length > 0) {
    const element = nodes.get(place % nodes.length)
    if (value % 5 === 0) nodes.delete(place % nodes.length, 1)
    else if (element instanceof Y.XmlElement) {
      element.setAttribute('level', String(value % 3))
      ;(element.get(0) as Y.XmlText).format(0, 3, { bold: {} })
    }
  }
}

function nested (value: number): unknown {
  if (value % 4 === 0) return new Y.Map([['a', value], ['b', new Y.Text('text')]])
  if (value % 4 === 1) return Y.Array.from([value, { c: value }])
  return value % 4 === 2 ? { plain: value } : `v${value}`
}

await t.test('A document becomes equal to any other, and a second time nothing changes', async () => {
  fc.assert(fc.property(changes, changes, fc.boolean(), changes, (one, two, isLater, since) => {
    const [doc, other] = [docOf(), docOf()]
    for (const each of one) change(doc, each)
    if (isLater) Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    for (const each of two) change(other, each)
    for (const each of since.slice(0, 2)) change(doc, each)
    const [state, wanted] = [Y.encodeStateAsUpdate(doc), Y.encodeStateAsUpdate(other)]
    const update = replace(state, wanted)
    deepEqual(contentOf(state, update), contentOf(wanted))
    equal(replace(stateOf(state, update), wanted), undefined)
  }), { numRuns: tries(300), seed })
})

await t.test('A later state of a document is taken over with its own edits', async (t) => {
  const doc = docOf(documentOf([{ content: 'some text' }]))
  const state = Y.encodeStateAsUpdate(doc)
  textsOf(doc)[0]?.insert(4, ' more')
  const later = Y.encodeStateAsUpdate(doc)
  t.same(stateOf(state, replace(state, later)), later)
})

await t.test('Only what differs from a Yjs body is written, and its other roots become empty', async (t) => {
  const lines = Array.from({ length: 500 }, (_, index) => ({ id: `b${index}`, content: `Line ${index} of the document` }))
  const doc = docOf(documentOf(lines))
  doc.getMap('settings').set('a', 1)
  const state = Y.encodeStateAsUpdate(doc)
  const update = replace(state, documentOf(lines.map((line, index) => index === 7 ? { ...line, content: 'Line 7 of a document' } : line)))
  t.ok(update !== undefined && update.length < 60, `${update?.length} bytes`)
  t.match(xmlOf(stateOf(state, update)), 'Line 7 of a document')
  t.same(docOf(state, update).getMap('settings').toJSON(), {})
})

await t.test('A body that is damaged or not complete is invalid', async (t) => {
  const doc = docOf()
  doc.getText('t').insert(0, 'a')
  const vector = Y.encodeStateVector(doc)
  doc.getText('t').insert(1, 'b')
  const part = Y.encodeStateAsUpdate(doc, vector)
  doc.getText('t').delete(0, 1)
  const deletion = Uint8Array.of(0, ...Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc)).subarray(1))
  for (const input of [Uint8Array.of(9, 9), part, deletion]) {
    t.throws(() => replace(stateOf(), input), { name: 'InvalidContent' })
    t.throws(() => merge(stateOf(), input), { name: 'InvalidContent' })
    t.throws(() => edit({ type: 'create', input, from: 'yjs' }, table), { name: 'InvalidContent' })
  }
  t.throws(() => replace(Uint8Array.of(9), stateOf()), { name: 'DamagedState' })
  t.throws(() => merge(Uint8Array.of(9), part), { name: 'DamagedState' })
})

await t.test('A merged update is reduced to what the document lacks', async () => {
  fc.assert(fc.property(changes, changes, (one, two) => {
    const doc = docOf()
    for (const each of one) change(doc, each)
    const other = docOf(Y.encodeStateAsUpdate(doc))
    const state = Y.encodeStateAsUpdate(doc)
    for (const each of two) change(other, each)
    const input = Y.encodeStateAsUpdate(other)
    const update = merge(state, input)
    deepEqual(stateOf(state, update), stateOf(state, input))
    ok(update === undefined || update.length <= Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)).length)
    equal(merge(stateOf(state, update), input), undefined)
  }), { numRuns: tries(200), seed })
})

await t.test('A copy has what is visible, of one new client, and nothing of the history', async (t) => {
  fc.assert(fc.property(changes, (all) => {
    const doc = docOf()
    for (const each of all) change(doc, each)
    const state = Y.encodeStateAsUpdate(doc)
    const made = copy(state)
    deepEqual(contentOf(made), contentOf(state))
    const { clients } = docOf(made).store
    ok(clients.size <= 1 && !clients.has(doc.clientID))
  }), { numRuns: tries(200), seed })
  const doc = docOf(documentOf([{ content: 'a secret text' }]))
  textsOf(doc)[0]?.delete(2, 7)
  const made = copy(Y.encodeStateAsUpdate(new Y.Doc({ gc: false })))
  t.equal(made, undefined)
  t.notMatch(Buffer.from(copy(Y.encodeStateAsUpdate(doc))!).toString('latin1'), 'secret')
})

await t.test('A copy without comments has neither their marks nor their threads', async (t) => {
  const doc = docOf(documentOf([{ content: 'a text with comments' }]))
  textsOf(doc)[0]?.format(2, 4, { comment: { threadId: 'x' }, bold: {} })
  textsOf(doc)[0]?.format(4, 6, { 'comment--abcdefgh': { threadId: 'y' } })
  const thread = new Y.Map<unknown>([['id', 'x'], ['comments', Y.Array.from(['private words'])], ['resolved', false]])
  doc.getMap('threads').set('x', thread)
  const state = Y.encodeStateAsUpdate(doc)
  t.match(xmlOf(copy(state)!), 'comment')
  const made = copy(state, true)!
  t.notMatch(Buffer.from(made).toString('latin1'), /comment--|threadId|private/)
  t.match(xmlOf(made), 'bold')
})
