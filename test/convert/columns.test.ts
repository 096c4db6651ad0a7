import t from 'tap'
import { convert } from '../../src/convert/convert.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { readDocument } from '../../src/convert/yjs/read-document.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { withoutIds } from './without-ids.ts'

const run = (input: string | Uint8Array, from: InputFormat, to: OutputFormat) => convert({ input: typeof input === 'string' ? new TextEncoder().encode(input) : input, from, to }, standardTable)
const text = (...parameters: Parameters<typeof run>) => new TextDecoder().decode(run(...parameters).body)
const full = (blocks: unknown) => withoutIds(JSON.parse(text(JSON.stringify(blocks), 'json', 'json')))
const column = (...children: unknown[]) => ({ type: 'column', children })
const columns = (...children: unknown[]) => ({ type: 'columnList', children })

const document = [columns({ ...column({ content: 'one' }, { type: 'numberedListItem', content: 'a' }), props: { width: 1.5 } }, column({ type: 'numberedListItem', content: 'b' })), { content: 'after' }]
const input = JSON.stringify(document)

await t.test('Columns are stored as in BlockNote', async (t) => {
  const nodes = JSON.parse(JSON.stringify(readDocument(run(input, 'json', 'yjs').body, 'document-store', new Dropped()))) as unknown
  t.match(nodes, [{
    name: 'blockGroup',
    children: [
      {
        name: 'columnList',
        attributes: { id: String },
        children: [
          { name: 'column', attributes: { id: String, width: 1.5 }, children: [{ name: 'blockContainer' }, { name: 'blockContainer' }] },
          { name: 'column', attributes: { width: 1 }, children: [{ name: 'blockContainer' }] },
        ]
      },
      { name: 'blockContainer' },
    ]
  }])
})

await t.test('Columns survive a round trip through Yjs and HTML', async (t) => {
  t.strictSame(withoutIds(JSON.parse(text(run(input, 'json', 'yjs').body, 'yjs', 'json'))), full(document))
  t.strictSame(withoutIds(JSON.parse(text(text(input, 'json', 'html'), 'html', 'json'))), full(document))
})

await t.test('Blocks nested three deep keep their places in HTML', async (t) => {
  for (const inner of [document[0], { type: 'heading', props: { isToggleable: true }, children: [{ content: 'a' }, { content: 'b' }] }]) {
    const blocks = [{ content: 'p', children: [inner] }]
    t.strictSame(withoutIds(JSON.parse(text(text(JSON.stringify(blocks), 'json', 'html'), 'html', 'json'))), full(blocks))
  }
})

await t.test('Blocks in an item within another block stay siblings', async (t) => {
  const children = [{ content: 'a' }, { type: 'bulletListItem', content: 'b' }, { type: 'bulletListItem', content: 'c' }]
  for (const type of ['bulletListItem', 'numberedListItem', 'checkListItem', 'toggleListItem', 'quote']) {
    for (const inside of [children, children.slice(1), children.slice(0, 1)]) {
      const blocks = [{ content: 'p', children: [{ content: 'p' }, { type, content: 'x', children: [...inside, { type, content: 'y', children: inside }] }] }]
      t.strictSame(withoutIds(JSON.parse(text(text(JSON.stringify(blocks), 'json', 'html'), 'html', 'json'))), full(blocks), type)
    }
  }
})

await t.test('Columns are read from BlockNote\'s HTML', async (t) => {
  const html = '<div class="bn-block-column-list" data-node-type="columnList" style="display: flex;"><div class="bn-block-column" data-node-type="column" data-width="1.5" style="flex-grow: 1.5;"><p>one</p><ol><li><p>a</p></li></ol></div><div data-node-type="column"><ol><li><p>b</p></li></ol></div></div><p>after</p>'
  t.strictSame(withoutIds(JSON.parse(text(html, 'html', 'json'))), full(document))
})

await t.test('Columns follow each other in markdown and text, each with its own lists', async (t) => {
  const { body, dropped } = run(input, 'json', 'markdown')
  t.equal(new TextDecoder().decode(body), 'one\n\n1. a\n\n1) b\n\nafter\n')
  t.strictSame(dropped, [{ what: 'columns', kind: 'format', count: 1 }])
  t.equal(text(input, 'json', 'text'), 'one\n1. a\n1. b\nafter\n')
  t.strictSame(run(input, 'json', 'text').dropped, [])
})

await t.test('Columns that the editor would delete are replaced by their blocks', async (t) => {
  const dropped = (blocks: unknown) => run(JSON.stringify(blocks), 'json', 'yjs').dropped
  const paragraphs = full([{ content: 'a' }, { content: 'b' }])
  for (const blocks of [
    [columns(column({ content: 'a' }, { content: 'b' }))],
    [columns({ content: 'a' }, { content: 'b' })],
    [column({ content: 'a' }), { content: 'b' }],
  ]) {
    t.strictSame(full(blocks), paragraphs)
    t.ok(dropped(blocks).length > 0)
  }
  t.strictSame(full([columns(column(columns(column({ content: 'a' }), column({ content: 'b' }))), column())]), full([columns(column({ content: 'a' }, { content: 'b' }), column({}))]))
  t.strictSame(dropped([columns(column({}), column({}))]), [])
})
