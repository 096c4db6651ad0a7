import t from 'tap'
import * as Y from 'yjs'
import { convert, type ConvertRequest } from '../../src/convert/convert.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { InvalidContent } from '../../src/convert/conversion-failure.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const run = (input: Uint8Array | string, from: InputFormat, to: OutputFormat, options: Partial<ConvertRequest> = {}) =>
  convert({ input: typeof input === 'string' ? bytes(input) : input, from, to, ...options }, standardTable)
const text = (...parameters: Parameters<typeof run>) => new TextDecoder().decode(run(...parameters).body)
/** What a test reads of the blocks. */
interface Seen {
  type: string
  content?: Array<{ text: string, styles: object }>
  children: Seen[]
  props: Record<string, unknown>
}
// A test's own input gives a list of blocks.
const blocks = (...[input, from, , options]: Parameters<typeof run>) => JSON.parse(text(input, from, 'json', options)) as Seen[]

await t.test('Every input format converts to every output format', async (t) => {
  const inputs = {
    markdown: bytes('# T\n\ntext'),
    html: bytes('<h1>T</h1><p>text</p>'),
    json: bytes('[{"type":"heading","content":"T"},{"content":"text"}]'),
    yjs: run('# T\n\ntext', 'markdown', 'yjs').body,
  }
  for (const from of ['markdown', 'html', 'json', 'yjs'] as const) {
    t.equal(text(inputs[from], from, 'markdown'), '# T\n\ntext\n')
    t.equal(text(inputs[from], from, 'html'), '<h1>T</h1><p>text</p>')
    t.equal(text(inputs[from], from, 'text'), 'T\ntext\n')
    t.match(blocks(inputs[from], from, 'json'), [{ type: 'heading', content: [{ text: 'T' }] }, { type: 'paragraph', content: [{ text: 'text' }] }])
    t.equal(text(run(inputs[from], from, 'yjs').body, 'yjs', 'text'), 'T\ntext\n')
    t.same(run(inputs[from], from, 'html').dropped, [])
  }
})

await t.test('Blank markdown is one empty paragraph', async (t) => {
  for (const markdown of ['', ' ', '\n\n', '\ufeff', '\r\n']) t.match(blocks(markdown, 'markdown', 'json'), [{ type: 'paragraph', content: [], children: [] }], JSON.stringify(markdown))
})

await t.test('An empty document is an empty list in JSON, nothing in HTML and text, a blank line in markdown', async (t) => {
  const empty = Y.encodeStateAsUpdate(new Y.Doc())
  t.equal(text(empty, 'yjs', 'json'), '[]')
  t.equal(text(empty, 'yjs', 'html'), '')
  t.equal(text(empty, 'yjs', 'markdown'), '\n')
  t.equal(text(empty, 'yjs', 'text'), '')
  t.equal(text(run('[]', 'json', 'yjs').body, 'yjs', 'json'), '[]')
})

await t.test('Line ends and byte order marks are no content', async (t) => {
  t.match(blocks('\ufeff# T\r\n\r\ntext\rmore', 'markdown', 'json'), [{ type: 'heading', content: [{ text: 'T' }] }, { content: [{ text: 'text\nmore' }] }])
})

await t.test('Soft breaks are line breaks by default, and blanks on request', async (t) => {
  t.match(blocks('a\nb', 'markdown', 'json'), [{ content: [{ text: 'a\nb' }] }])
  t.match(blocks('a\nb\\\nc', 'markdown', 'json', { softBreaks: 'space' }), [{ content: [{ text: 'a b\nc' }] }])
})

await t.test('Invalid content is rejected in one sentence that does not quote it', async (t) => {
  const deep = (levels: number) => '[{"content":"secret","children":'.repeat(levels) + '[]' + '}]'.repeat(levels)
  const refused: Array<[Uint8Array | string, InputFormat]> = [
    [new Uint8Array([1, 2, 3]), 'yjs'],
    [bytes('secret text'), 'yjs'],
    ['', 'yjs'],
    ['secret', 'json'],
    ['{"type":"paragraph"}', 'json'],
    ['"secret"', 'json'],
    ['null', 'json'],
    ['[null]', 'json'],
    ['[[]]', 'json'],
    ['[{"type":"secret"}]', 'json'],
    ['[{"type":"constructor"}]', 'json'],
    ['[{"type":"__proto__"}]', 'json'],
    ['[{"type":5}]', 'json'],
    ['[{"content":5}]', 'json'],
    ['[{"content":[5]}]', 'json'],
    ['[{"content":[{"type":"secret"}]}]', 'json'],
    ['[{"content":[{"type":"text"}]}]', 'json'],
    ['[{"content":[{"type":"link","content":"x"}]}]', 'json'],
    ['[{"content":[{"type":"text","text":"x","styles":[]}]}]', 'json'],
    ['[{"props":[]}]', 'json'],
    ['[{"children":{}}]', 'json'],
    ['[{"type":"table"}]', 'json'],
    ['[{"type":"table","content":{"rows":[]}}]', 'json'],
    ['[{"type":"table","content":{"rows":[{"cells":[]}]}}]', 'json'],
    [deep(5000), 'json'],
    ['<div>'.repeat(5000), 'html'],
    [new Uint8Array([0xff, 0xfe, 0x41]), 'markdown'],
  ]
  for (const [input, from] of refused) {
    const name = `${from}: ${typeof input === 'string' ? input.slice(0, 50) : input.join(' ')}`
    const error = t.throws(() => run(input, from, 'json'), InvalidContent, name)
    t.notMatch(String(error), /secret/)
  }
})

await t.test('Partial blocks are completed', async (t) => {
  t.match(blocks('[{"content":"a"},{"type":"heading"},{"type":"table","content":{"rows":[{"cells":["x",[{"type":"text","text":"y"}],{"type":"tableCell","content":"z"}]}]}}]', 'json', 'json'), [
    { id: /^[0-9a-f-]{36}$/, type: 'paragraph', props: { textColor: 'default' }, content: [{ type: 'text', text: 'a', styles: {} }], children: [] },
    { type: 'heading', props: { level: 1, isToggleable: false }, content: [] },
    { type: 'table', content: { type: 'tableContent', columnWidths: [null, null, null], rows: [{ cells: [{ content: [{ text: 'x' }] }, { content: [{ text: 'y' }] }, { content: [{ text: 'z' }] }] }] } },
  ])
})

await t.test('A repeated id is replaced', async (t) => {
  const [first, second] = JSON.parse(text('[{"id":"a"},{"id":"a"}]', 'json', 'json')) as Array<{ id: string }>
  t.equal(first?.id, 'a')
  t.match(second?.id, /^[0-9a-f-]{36}$/)
})

await t.test('Another fragment is read and written', async (t) => {
  const update = run('# T', 'markdown', 'yjs', { fragment: 'other' }).body
  t.equal(text(update, 'yjs', 'text'), '')
  t.equal(text(update, 'yjs', 'text', { fragment: 'other' }), 'T\n')
})

await t.test('A document with a history of many clients is read', async (t) => {
  const first = new Y.Doc()
  Y.applyUpdate(first, run('one\n\ntwo\n\nthree', 'markdown', 'yjs').body)
  const second = new Y.Doc()
  Y.applyUpdate(second, Y.encodeStateAsUpdate(first))
  // The shape is known: group, containers, paragraphs, texts.
  const textOf = (document: Y.Doc, index: number) => {
    const container = (document.getXmlFragment('document-store').get(0) as Y.XmlElement).get(index) as Y.XmlElement
    return (container.get(0) as Y.XmlElement).get(0) as Y.XmlText
  }
  textOf(first, 0).insert(0, 'A ')
  textOf(second, 0).insert(3, ' Z')
  textOf(first, 1).delete(1, 1)
  textOf(second, 1).format(0, 2, { bold: {} })
  ;(first.getXmlFragment('document-store').get(0) as Y.XmlElement).delete(2, 1)
  Y.applyUpdate(first, Y.encodeStateAsUpdate(second))
  t.equal(text(Y.encodeStateAsUpdate(first), 'yjs', 'markdown'), 'A one Z\n\n**t**o\n')
})

await t.test('Anchors of comments and suggestions are invisible, unknown marks keep their text, unknown elements are counted', async (t) => {
  const document = new Y.Doc()
  Y.applyUpdate(document, run('plain words here', 'markdown', 'yjs').body)
  const paragraph = document.getXmlFragment('document-store').querySelector('paragraph') as Y.XmlElement
  const words = paragraph.firstChild as Y.XmlText
  words.format(0, 5, { 'comment--AbCd1234': { orphan: false, threadId: 't1' } })
  words.format(2, 5, { insertion: { id: 1 }, bold: {} })
  words.format(12, 4, { sparkle: { stringValue: 'x' } })
  paragraph.push([new Y.XmlElement('mention')])
  const update = Y.encodeStateAsUpdate(document)
  t.match(blocks(update, 'yjs', 'json'), [{ content: [{ text: 'pl', styles: {} }, { text: 'ain w', styles: { bold: true } }, { text: 'ords here', styles: {} }] }])
  t.same(run(update, 'yjs', 'json').dropped, [
    { what: 'mark sparkle', kind: 'format', count: 1 },
    { what: 'element mention', kind: 'content', count: 1 },
  ])
})

await t.test('A link without text is counted', async (t) => {
  const link = (content: unknown, href = 'https://a.b/') => JSON.stringify([{ content: [{ type: 'link', href, content }] }])
  for (const content of ['', '\n', []]) t.same(run(link(content), 'json', 'yjs').dropped, [{ what: 'link without text', kind: 'format', count: 1 }])
  for (const json of [link(' '), link('a\n'), link('', '')]) t.same(run(json, 'json', 'yjs').dropped, [])
})

await t.test('An unknown block is counted, and its children move up', async (t) => {
  const document = new Y.Doc()
  Y.applyUpdate(document, run('[{"content":"a","children":[{"content":"child"}]}]', 'json', 'yjs').body)
  const container = document.getXmlFragment('document-store').querySelector('blockContainer') as Y.XmlElement
  container.delete(0, 1)
  container.insert(0, [new Y.XmlElement('spreadsheet')])
  const update = Y.encodeStateAsUpdate(document)
  t.equal(text(update, 'yjs', 'text'), 'child\n')
  t.same(run(update, 'yjs', 'text').dropped, [{ what: 'element spreadsheet', kind: 'content', count: 1 }])
})

await t.test('What markdown cannot express is counted', async (t) => {
  const { dropped } = run('[{"content":[{"type":"text","text":"u","styles":{"underline":true,"textColor":"red"}}],"props":{"textAlignment":"center"},"children":[{"content":"c"}]}]', 'json', 'markdown')
  t.same(dropped.map(({ what }) => what), ['prop textAlignment', 'mark underline', 'mark textColor', 'nesting'])
})

await t.test('What no block can hold of JSON is counted', async (t) => {
  const dropped = (blocks: unknown) => run(JSON.stringify(blocks), 'json', 'yjs').dropped
  t.same(dropped([{ type: 'divider', content: 'text' }]), [{ what: 'content of divider', kind: 'content', count: 1 }])
  t.same(dropped([{ type: 'heading', props: { level: 9, shade: 1 } }, { props: { textColor: null, backgroundColor: 5 } }]), [
    { what: 'prop level', kind: 'format', count: 1 },
    { what: 'prop shade', kind: 'format', count: 1 },
    { what: 'prop backgroundColor', kind: 'format', count: 1 },
  ])
  t.same(dropped([{ content: [{ type: 'interlinkingLinkInline', props: { docId: 'd' }, content: 'text' }] }]), [{ what: 'content of interlinkingLinkInline', kind: 'content', count: 1 }])
  t.same(dropped([{ type: 'table', content: { rows: [{ cells: [{ content: 'x', props: { shade: 1 } }] }] } }]), [{ what: 'prop shade', kind: 'format', count: 1 }])
  t.same(dropped(JSON.parse('[{"props":{"__proto__":"x"},"content":[{"type":"text","text":"x","styles":{"__proto__":true}}]}]')), [
    { what: 'prop __proto__', kind: 'format', count: 1 },
    { what: 'mark __proto__', kind: 'format', count: 1 },
  ])
})

await t.test('What Yjs holds besides the blocks is counted', async (t) => {
  const document = new Y.Doc()
  Y.applyUpdate(document, run('# T', 'markdown', 'yjs').body)
  ;(document.getXmlFragment('document-store').querySelector('heading') as Y.XmlElement).setAttribute('shade', 'x')
  t.same(run(Y.encodeStateAsUpdate(document), 'yjs', 'json').dropped, [{ what: 'prop shade', kind: 'format', count: 1 }])
})

await t.test('A wrong fragment name is counted, and no empty document', async (t) => {
  const { body } = run('# T', 'markdown', 'yjs', { fragment: 'other' })
  const document = new Y.Doc()
  Y.applyUpdate(document, body)
  document.getXmlFragment('other').delete(0, 1)
  for (const update of [body, Y.encodeStateAsUpdate(document)]) t.same(run(update, 'yjs', 'json').dropped, [{ what: 'root other', kind: 'content', count: 1 }])
})

await t.test('Marks, links and elements in a program are counted if it is written as text', async (t) => {
  const program = [{ type: 'codeBlock', content: [{ type: 'text', text: 'x', styles: { bold: true } }, { type: 'link', href: 'https://a.b', content: 'l' }, { type: 'interlinkingLinkInline', props: { title: 't' } }] }]
  t.same(run(JSON.stringify(program), 'json', 'markdown').dropped, [
    { what: 'mark bold', kind: 'format', count: 1 },
    { what: 'link in code', kind: 'format', count: 1 },
    { what: 'element interlinkingLinkInline', kind: 'content', count: 1 },
  ])
})

await t.test('A line break in a name, a caption or a title begins no block in markdown', async (t) => {
  const evil = 'a\n\n# b\n\n<script>'
  const input = JSON.stringify([
    ...['image', 'video', 'audio', 'file', 'pdf'].flatMap((type) => [{ type, props: { url: 'https://a.b/', name: evil } }, { type, props: { url: 'https://a.b/', name: evil, caption: evil } }]),
    { content: [{ type: 'interlinkingLinkInline', props: { docId: 'd', title: evil } }] },
    { type: 'uploadLoader', props: { information: evil } },
    { type: 'uploadLoader', props: { information: '# b' } },
    { type: 'callout', props: { emoji: evil }, content: evil },
  ])
  const read = blocks(text(input, 'json', 'markdown'), 'markdown', 'json')
  t.notOk(read.some(({ type }) => type === 'heading'))
  t.equal(read.filter(({ type }) => type === 'image')[0]?.props['name'], evil)
  t.match(read.at(-1), { type: 'callout', props: { emoji: evil }, content: [{ text: evil }] })
})

await t.test('A button is text', async (t) => {
  t.equal(text('<p>Press <button>OK</button></p>', 'html', 'text'), 'Press OK\n')
})

await t.test('Markdown with HTML beyond the limits is read as text, and counted once', async (t) => {
  const markdown = '[a](b "title")\n\n' + '<ul><li>'.repeat(150) + 'x'
  t.match(text(markdown, 'markdown', 'text'), /^a\n<ul><li>.*x\n$/)
  for (const to of ['json', 'yjs'] as const) t.same(run(markdown, 'markdown', to).dropped, [{ what: 'link title', kind: 'format', count: 1 }])
})

await t.test('Addresses that could run code do not reach HTML', async (t) => {
  for (const href of ['javascript:alert(1)', ' java\tscript:alert(1)', 'JAVASCRIPT:x', 'vbscript:x', 'data:text/html,x', '\u0000javascript:x']) {
    const input = JSON.stringify([
      { content: [{ type: 'link', href, content: 'l' }] },
      ...['image', 'video', 'audio', 'file', 'pdf'].map((type) => ({ type, props: { url: href, name: 'n', showPreview: false } })),
      ...['image', 'video', 'audio', 'file', 'pdf'].map((type) => ({ type, props: { url: href, name: 'n' } })),
    ])
    // The address itself can be in data-url, from which no browser loads anything.
    t.notMatch(text(input, 'json', 'html').replace(/ data-url="[^"]*"/g, ''), /script:|data:text/i, JSON.stringify(href))
    t.equal(run(input, 'json', 'html').dropped.reduce((sum, { what, count }) => sum + (what.startsWith('unsafe') ? count : 0), 0), 11, JSON.stringify(href))
    t.notMatch(text(input, 'json', 'markdown').replace(/!\[.*\n|<(?:video|audio).*\n/g, ''), /script:|data:text/i, JSON.stringify(href))
  }
})

await t.test('Neither a colour nor text can escape from its place in HTML', async (t) => {
  const evil = '"><script>alert(1)</script>;x:url(y)'
  const input = JSON.stringify([
    { props: { textColor: evil, backgroundColor: evil }, content: [{ type: 'text', text: evil, styles: { textColor: evil } }] },
    { type: 'codeBlock', props: { language: evil }, content: evil },
    { type: 'callout', props: { emoji: evil }, content: evil },
    { type: 'image', props: { url: 'https://a.b/' + evil, name: evil, caption: evil } },
    { content: [{ type: 'interlinkingLinkInline', props: { docId: evil, title: evil } }, { type: 'link', href: 'https://a.b/' + evil, content: evil }] },
  ])
  const html = text(input, 'json', 'html')
  t.notMatch(html, /<script/)
  t.notMatch(html, /style="[^"]*url/)
  t.notMatch(text(input, 'json', 'markdown').replace(/`[^`]*`|```[^]*?```/g, ''), /(?<!\\)<script/)
})

await t.test('Links between documents start with the origin', async (t) => {
  const input = '[{"content":[{"type":"interlinkingLinkInline","props":{"docId":"1-2","title":"Other"}}]}]'
  t.match(text(input, 'json', 'html', { origin: 'https://docs.example.org' }), '<a href="https://docs.example.org/docs/1-2/" data-doc-id="1-2" data-title="Other">Other</a>')
  t.equal(text(input, 'json', 'markdown', { origin: 'https://docs.example.org' }), '[Other](https://docs.example.org/docs/1-2/)\n')
  t.equal(text(input, 'json', 'text'), 'Other\n')
})
