import t from 'tap'
import { convert } from '../../src/convert/convert.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { withoutIds } from './without-ids.ts'

const origin = 'https://docs.example.org'
const run = (input: string, from: InputFormat, to: OutputFormat) => {
  const { body, dropped } = convert({ input: new TextEncoder().encode(input), from, to, origin }, standardTable)
  return { text: new TextDecoder().decode(body), dropped }
}
const write = (blocks: unknown, to: OutputFormat) => run(JSON.stringify(blocks), 'json', to).text
const read = (input: string, from: InputFormat) => withoutIds(JSON.parse(run(input, from, 'json').text))
const full = (blocks: unknown) => read(JSON.stringify(blocks), 'json')

await t.test('A callout shows its emoji, once after any number of round trips', async (t) => {
  for (const emoji of ['💡', '🔥', '']) {
    const blocks = full([{ type: 'callout', props: { emoji }, content: '🔥 hot' }])
    for (const format of ['html', 'markdown'] as const) {
      const written = write(blocks, format)
      t.equal(written.replace(/<[^>]*>/g, '').trim(), `${emoji} 🔥 hot`.trim(), `${format} of ${emoji}`)
      t.strictSame(read(written, format), blocks)
      t.equal(write(read(written, format), format), written)
    }
  }
})

await t.test('A callout is read from the HTML of Docs, and from HTML with its emoji only in an attribute', async (t) => {
  const blocks = full([{ type: 'callout', props: { emoji: '🔥' }, content: 'hot' }])
  for (const html of [
    '<aside role="note" data-emoji="🔥"><p><span aria-hidden="true" data-emoji="🔥">🔥 </span>hot</p></aside>',
    '<aside role="note" data-emoji="🔥">\n<p><span aria-hidden="true" data-emoji="🔥">🔥 </span>hot</p>\n</aside>',
    '<aside role="note" data-emoji="🔥">hot</aside>',
  ]) t.strictSame(read(html, 'html'), blocks, html)
})

await t.test('A link between documents shows the same as in the editor', async (t) => {
  const link = (props: object) => [{ content: [{ type: 'interlinkingLinkInline', props }] }]
  const cases: Array<[object, string, string]> = [
    [{ docId: 'd', title: 'T' }, 'T', `[T](${origin}/docs/d/)`],
    [{ docId: 'd' }, 'd', `[d](${origin}/docs/d/)`],
    [{ title: 'T' }, 'T', 'T'],
    [{ docId: 'd', title: 'T', disabled: true }, '', ''],
    [{}, '', ''],
  ]
  for (const [props, label, markdown] of cases) {
    const name = JSON.stringify(props)
    t.equal(write(link(props), 'markdown').trim(), markdown, name)
    t.equal(write(link(props), 'text').trim(), label, name)
    const html = write(link(props), 'html')
    t.equal(html.replace(/<[^>]*>/g, ''), label, name)
    t.equal(html.includes('href'), markdown.includes(']('), name)
    t.strictSame(read(html, 'html'), full(link(props)), name)
  }
  t.strictSame(run(JSON.stringify(link({ docId: 'd', disabled: true })), 'json', 'markdown').dropped, [{ what: 'disabled link', kind: 'format', count: 1 }])
})

await t.test('A link between documents in the HTML of Docs keeps its title', async (t) => {
  for (const [html, title] of [
    [`<a href="${origin}/docs/d/" data-doc-id="d" title="T">T</a>`, 'T'],
    [`<a href="${origin}/docs/d/" data-doc-id="d">T</a>`, 'T'],
    [`<a href="${origin}/docs/d/" data-doc-id="d">d</a>`, ''],
  ] as const) t.match(read(html, 'html'), [{ content: [{ type: 'interlinkingLinkInline', props: { docId: 'd', title } }] }], html)
})

await t.test('The width of a PDF survives a round trip through HTML', async (t) => {
  for (const caption of ['', 'c']) {
    const blocks = full([{ type: 'pdf', props: { url: 'https://a.b/x.pdf', previewWidth: 300, caption } }])
    const html = write(blocks, 'html')
    t.match(html, '<embed src="https://a.b/x.pdf" type="application/pdf" width="300"')
    t.strictSame(read(html, 'html'), blocks)
  }
  t.match(read('<embed src="https://a.b/x.pdf" type="application/pdf" width="300">', 'html'), [{ type: 'pdf', props: { previewWidth: 300 } }])
})

await t.test('A PDF is read from the HTML of Docs', async (t) => {
  const pdf = (inner: string) => read(`<div data-content-type="pdf">${inner}</div>`, 'html')
  t.match(pdf('<iframe src="https://a.b/x.pdf" title="n" width="300"></iframe><p class="bn-file-caption">c</p>'), [
    { type: 'pdf', props: { url: 'https://a.b/x.pdf', name: 'n', caption: 'c', previewWidth: 300, showPreview: true } },
  ])
  t.match(pdf('<iframe src="https://a.b/x.pdf" title="PDF preview"></iframe>'), [{ type: 'pdf', props: { url: 'https://a.b/x.pdf', name: '' } }])
  t.match(pdf('<a href="https://a.b/x.pdf">https://a.b/x.pdf</a>'), [{ type: 'pdf', props: { url: 'https://a.b/x.pdf', name: '', showPreview: false } }])
  t.match(pdf('<a href="https://a.b/x.pdf">n</a>'), [{ type: 'pdf', props: { url: 'https://a.b/x.pdf', name: 'n', showPreview: false } }])
})

await t.test('An upload is left out and counted, and the blocks in it stay', async (t) => {
  const blocks = JSON.stringify([{ content: 'a' }, { type: 'uploadLoader', props: { information: 'uploading', blockUploadName: 'x.png' }, children: [{ content: 'b' }] }])
  for (const [to, expected] of [['html', '<p>a</p><p>b</p>'], ['markdown', 'a\n\nb\n'], ['text', 'a\nb\n']] as const) {
    const { text, dropped } = run(blocks, 'json', to)
    t.equal(text, expected)
    t.strictSame(dropped, [{ what: 'element uploadLoader', kind: 'format', count: 1 }], to)
  }
})

await t.test('A line break in markdown is a backslash, without a reference for a blank on the next line', async (t) => {
  const markdown = (text: string, styles = {}) => write([{ content: [{ type: 'text', text, styles }] }], 'markdown')
  t.equal(markdown('one\n two\n\t three'), 'one\\\ntwo\\\nthree\n')
  t.equal(markdown('one\n two', { bold: true }), '**one\\\ntwo**\n')
  t.equal(markdown('one\n  '), 'one\n')
  t.equal(markdown('one\n\u00a0two'), 'one\\\n&#160;two\n')
})
