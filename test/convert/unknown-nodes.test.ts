import t from 'tap'
import * as Y from 'yjs'
import { Dropped } from '../../src/convert/dropped.ts'
import { InvalidContent } from '../../src/convert/conversion-failure.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { updateToBlocks } from '../../src/convert/yjs/update-to-blocks.ts'

type Part = string | [name: string, attributes: Record<string, string | number>, ...children: Part[]]

function nodeOf (part: Part): Y.XmlElement | Y.XmlText {
  if (typeof part === 'string') return new Y.XmlText(part)
  const [name, attributes, ...children] = part
  const element = new Y.XmlElement<Record<string, string | number>>(name)
  for (const key in attributes) element.setAttribute(key, attributes[key] ?? '')
  element.insert(0, children.map(nodeOf))
  return element as unknown as Y.XmlElement
}

/** Reads a document of these nodes, as an editor with more blocks than ours would store them. */
function read (...parts: Part[]) {
  const document = new Y.Doc()
  document.getXmlFragment('document-store').insert(0, [nodeOf(['blockGroup', {}, ...parts])])
  const dropped = new Dropped()
  return { blocks: updateToBlocks(Y.encodeStateAsUpdate(document), table, dropped), dropped: dropped.list() }
}

const container = (...parts: Part[]): Part => ['blockContainer', { id: 'a' }, ...parts]
const format = (what: string) => ({ what, kind: 'format' as const, count: 1 })

await t.test('The text of an unknown block is a paragraph with its id, and its children stay', async (t) => {
  const { blocks, dropped } = read(container(['banner', { textColor: 'red', size: 3 }, 'one', ['hardBreak', {}], 'two'], ['blockGroup', {}, ['blockContainer', { id: 'b' }, ['paragraph', {}, 'child']]]))
  t.match(blocks, [{ id: 'a', type: 'paragraph', props: { textColor: 'red' }, content: [{ text: 'one\ntwo' }], children: [{ id: 'b', content: [{ text: 'child' }] }] }])
  t.strictSame(dropped, [format('prop size'), format('element banner')])
})

await t.test('Of unknown props, text becomes code, addresses become links, and others are counted', async (t) => {
  for (const prop of ['text', 'code', 'source', 'latex', 'formula']) {
    const { blocks, dropped } = read(container(['widget', { [prop]: 'a\n  b' }]))
    t.match(blocks, [{ id: 'a', type: 'codeBlock', content: [{ text: 'a\n  b' }] }], prop)
    t.strictSame(dropped, [format('element widget')])
  }
  const { blocks, dropped } = read(container(['embed', { url: 'https://a.b/', label: 'x' }, 'text']))
  t.match(blocks, [{ id: 'a', content: [{ type: 'link', href: 'https://a.b/' }] }, { content: [{ text: 'text' }] }])
  t.equal(blocks.length, 2)
  t.strictSame(dropped, [format('prop label'), format('element embed')])
})

await t.test('An unknown block without visible content is counted as content', async (t) => {
  const { blocks, dropped } = read(container(['spreadsheet', {}], ['blockGroup', {}, container(['paragraph', {}, 'child'])]))
  t.match(blocks, [{ content: [{ text: 'child' }] }])
  t.strictSame(dropped, [{ what: 'element spreadsheet', kind: 'content', count: 1 }])
})

await t.test('Blocks within an unknown block follow its text in order, and its elements are lines', async (t) => {
  const { blocks } = read(container(['tabs', {}, ['tab', {}, 'one'], ['tab', {}, 'two', ['chip', {}, 'x'], 'three'], ['blockGroup', {}, container(['heading', {}, 'four'])], ['tab', {}, 'five']]))
  t.match(blocks, [
    { type: 'paragraph', content: [{ text: 'one' }] },
    { type: 'paragraph', content: [{ text: 'twoxthree' }] },
    { type: 'heading', content: [{ text: 'four' }] },
    { type: 'paragraph', content: [{ text: 'five' }] },
  ])
})

await t.test('A block in a place where none is allowed is read', async (t) => {
  const { blocks } = read(['paragraph', {}, 'one'], ['banner', {}, 'two'], container(['paragraph', {}, 'three']))
  t.match(blocks, [{ content: [{ text: 'one' }] }, { content: [{ text: 'two' }] }, { content: [{ text: 'three' }] }])
})

await t.test('An unknown inline element keeps its text, and the text and addresses of its props', async (t) => {
  const { blocks, dropped } = read(container(['paragraph', {}, 'a ', ['chip', {}, 'b ', ['inner', {}, 'c']], ['formulaInline', { latex: ' d' }], ['badge', { href: 'https://a.b/' }], ['mention', { user: 'ada' }]]))
  t.match(blocks, [{ content: [{ text: 'a b c d' }, { type: 'link', href: 'https://a.b/', content: [{ text: 'https://a.b/' }] }] }])
  t.strictSame(dropped, [format('element chip'), format('element inner'), format('element formulaInline'), format('element badge'), { what: 'element mention', kind: 'content', count: 1 }])
})

await t.test('Unknown elements nested too deep are rejected', async (t) => {
  let part: Part = 'x'
  for (let depth = 0; depth < 150; depth++) part = ['chip', {}, 'a', part]
  t.throws(() => read(container(['paragraph', {}, part])), InvalidContent)
  t.throws(() => read(container(part)), InvalidContent)
})
