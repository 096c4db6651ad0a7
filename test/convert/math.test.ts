import t from 'tap'
import { createBlockTable } from '../../src/convert/blocks/block-table.ts'
import { convert } from '../../src/convert/convert.ts'
import { docsBlocks } from '../../src/convert/blocks/docs-blocks.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { inlineMath } from '../../src/convert/blocks/math-blocks.ts'
import { blockNoteBlocks, standardTable } from '../../src/convert/blocks/standard-table.ts'
import myBlocks from './my-blocks.ts'
import { withoutIds } from './without-ids.ts'

const run = (input: string | Uint8Array, from: InputFormat, to: OutputFormat, math = true) => convert({ input: typeof input === 'string' ? new TextEncoder().encode(input) : input, from, to, math }, standardTable)
const text = (...parameters: Parameters<typeof run>) => new TextDecoder().decode(run(...parameters).body)
const read = (input: string | Uint8Array, from: InputFormat, math = true) => withoutIds(JSON.parse(text(input, from, 'json', math)))
const full = (blocks: unknown) => read(JSON.stringify(blocks), 'json')
const paragraph = (...content: unknown[]) => full([{ content }])
const math = (content: string) => ({ type: 'math', content })

await t.test('Math between dollars is read by GitHub\'s rule', async (t) => {
  for (const [markdown, content] of [
    ['$x^2$', [math('x^2')]],
    ['a $x$, $y_1 + y_2$.', ['a ', math('x'), ', ', math('y_1 + y_2'), '.']],
    ['a $$x$$ b', ['a ', math('x'), ' b']],
    ['$`a*b*c`$', [math('a*b*c')]],
    ['面积$x$是', ['面积', math('x'), '是']],
    ['$a*b$ and $c*d$', [math('a*b'), ' and ', math('c*d')]],
    ['$\\$5$', [math('\\$5')]],
    ['\\\\$x$', ['\\', math('x')]],
  ] as const) t.strictSame(read(markdown, 'markdown'), paragraph(...content), markdown)
})

await t.test('Other dollars are text, and are written without an escape', async (t) => {
  for (const markdown of ['$5 and $6', '$ x $', '$x $', '$ x$', '$HOME/$USER', 'US$5, C$6', 'a$b$c', '$$', '$$$', '$x$2', '$', '5$', '$a\\\nb', '$a\\\nb$', '`$x$`']) {
    t.notMatch(JSON.stringify(read(markdown, 'markdown')), /"math/, markdown)
    if (!markdown.startsWith('$$')) t.equal(text(markdown, 'markdown', 'markdown'), markdown + '\n')
  }
  t.strictSame(read('\\$x\\$', 'markdown'), paragraph('$x$'))
})

await t.test('Text that would be read as math is escaped', async (t) => {
  const bold = (text: string) => ({ type: 'text', text, styles: { bold: true } })
  for (const content of [['$x$'], ['a $$x$$ b'], ['$$'], ['$x', bold('y$')], [bold('$'), 'x$'], ['$a', { type: 'link', href: 'https://a.b/$', content: 'l' }], ['$a ', math('x'), ' b$'], ['\\$x$'], ['$`x`$']]) {
    t.strictSame(read(text(JSON.stringify([{ content }]), 'json', 'markdown'), 'markdown'), paragraph(...content), JSON.stringify(content))
  }
  t.equal(text(JSON.stringify([{ content: '$x$' }]), 'json', 'markdown'), '\\$x$\n')
})

await t.test('Math in a line survives a round trip through every format', async (t) => {
  for (const content of [
    ['a ', math('\\frac{1}{2} < x'), ' b'], [math('x'), math('y')], ['a', math('x'), 'b'], [math('x'), '2'], [math('x $y$ z')], [math('a\n\nb')], [math('')], [math(' x ')], [math('x\\')], [math('`x`')],
  ]) {
    const blocks = JSON.stringify([{ content }, { type: 'heading', content }, { type: 'table', content: { rows: [{ cells: [content, [math('a|b')]] }] } }])
    const expected = read(blocks, 'json')
    t.strictSame(read(run(blocks, 'json', 'yjs').body, 'yjs'), expected, blocks)
    for (const format of ['html', 'markdown'] as const) t.strictSame(read(text(blocks, 'json', format), format), expected, `${format} of ${JSON.stringify(content)}`)
    t.strictSame(run(blocks, 'json', 'markdown').dropped, [])
  }
  t.equal(text(JSON.stringify([{ content: ['a ', math('x^2'), '.'] }]), 'json', 'markdown'), 'a $x^2$.\n')
  t.equal(text(JSON.stringify([{ content: ['a ', math('x^2')] }]), 'json', 'html'), '<p>a <math><semantics><mtext>x^2</mtext><annotation encoding="application/x-tex">x^2</annotation></semantics></math></p>')
  t.equal(text(JSON.stringify([{ content: ['a ', math('x^2')] }]), 'json', 'text'), 'a x^2\n')
})

await t.test('Math in JSON can be a list of runs, whose marks are counted', async (t) => {
  const blocks = JSON.stringify([{ content: [{ type: 'math', content: [{ type: 'text', text: 'x', styles: { bold: true } }, { type: 'text', text: 'y' }] }] }])
  t.strictSame(read(blocks, 'json'), paragraph(math('xy')))
  t.strictSame(run(blocks, 'json', 'yjs').dropped, [{ what: 'mark bold', kind: 'format', count: 1 }])
})

await t.test('Math in a link keeps the address, and the mark of bold math is counted', async (t) => {
  t.strictSame(read('[a $x$](https://a.b/)', 'markdown'), paragraph({ type: 'link', href: 'https://a.b/', content: 'a $x$' }))
  t.strictSame(run('**$x$**', 'markdown', 'yjs').dropped, [{ what: 'mark bold', kind: 'format', count: 1 }])
})

await t.test('Blocks of math and diagrams survive a round trip through every format', async (t) => {
  const sources = ['x^2', 'a\n  b', 'a\n\nb', '', '\nx\n', 'x $$ y', '```\nx', '# a\n- b\n> c', 'x\\']
  const blocks = JSON.stringify(['mathBlock', 'diagram'].flatMap((type) => sources.flatMap((content) => [{ type, content }, { type: 'bulletListItem', content: 'i', children: [{ type, content }] }, { type: 'quote', content: 'q', children: [{ type, content }] }])))
  const expected = read(blocks, 'json')
  t.strictSame(read(run(blocks, 'json', 'yjs').body, 'yjs'), expected)
  for (const format of ['html', 'markdown'] as const) t.strictSame(read(text(blocks, 'json', format), format), expected, format)
  t.equal(text('[{"type":"mathBlock","content":"x\\ny"},{"type":"diagram","content":"a --> b"}]', 'json', 'markdown'), '$$\nx\ny\n$$\n\n```mermaid\na --> b\n```\n')
})

await t.test('Blocks of math are read as on GitHub', async (t) => {
  const block = (content: string) => full([{ type: 'mathBlock', content }])
  for (const markdown of ['$$\nx\n$$', '$$x$$', '$$ x $$', '$$x\n$$', '$$\nx$$', '```math\nx\n```']) t.strictSame(read(markdown, 'markdown'), block('x'), markdown)
  t.strictSame(read('> - $$\n>   x\n>   $$', 'markdown'), full([{ type: 'quote', content: '', children: [{ type: 'bulletListItem', content: '', children: [{ type: 'mathBlock', content: 'x' }] }] }]))
  t.strictSame(read('a\n$$\nx\n$$\nb', 'markdown'), full([{ content: 'a' }, { type: 'mathBlock', content: 'x' }, { content: 'b' }]))
  t.strictSame(read('$$\nx\n\ny', 'markdown'), full([{ content: '$$\nx' }, { content: 'y' }]))
  t.strictSame(read('$$a$$ b $$c$$', 'markdown'), paragraph(math('a'), ' b ', math('c')))
})

await t.test('MathML with its LaTeX source is math, without it text that is counted', async (t) => {
  const mathMl = (attributes: string, annotation: string) => `<p>a <math${attributes}><semantics><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow>${annotation}</semantics></math></p>`
  const annotation = '<annotation encoding="application/x-tex">x^2</annotation>'
  t.strictSame(read(mathMl('', annotation), 'html'), paragraph('a ', math('x^2')))
  t.match(read(mathMl(' display="block"', annotation), 'html'), [{ content: [{ text: /^a/ }] }, { type: 'mathBlock', content: [{ text: 'x^2' }] }])
  t.strictSame(read(mathMl('', ''), 'html'), paragraph('a x2'))
  t.strictSame(run(mathMl('', ''), 'html', 'yjs').dropped, [{ what: 'element math', kind: 'format', count: 1 }])
})

await t.test('Dollars in a name stay unchanged, with and without the setting', async (t) => {
  for (const isOn of [true, false]) {
    t.match(read('![a $x$ b](https://a.b/)', 'markdown', isOn), [{ type: 'image', props: { name: 'a $x$ b' } }])
    for (const type of ['image', 'file']) {
      const blocks = JSON.stringify([{ type, props: { url: 'https://a.b/', name: '$a\n$x$&#42;' } }])
      const shown = text(text(text(blocks, 'json', 'markdown', isOn), 'markdown', 'markdown', isOn), 'markdown', 'text', isOn)
      t.match(shown.replaceAll('\n', ' '), '$a $x$&#42;', type)
    }
  }
})

await t.test('Without the setting math in markdown stays text, and its fences stay code', async (t) => {
  for (const markdown of ['a $x_1*b*c_2$ b', '$$\\frac{a}{b} \\\\ *c*$$', 'a $$ x $$ b', '$`a*b`$', '$[a](b)$', '$$\na\\\\\n*b*\n$$', '$$ a\n_b_ $$']) {
    t.strictSame(read(markdown, 'markdown', false), paragraph(markdown), markdown)
    t.strictSame(run(markdown, 'markdown', 'yjs', false).dropped, [])
    t.strictSame(read(text(markdown, 'markdown', 'markdown', false), 'markdown', false), paragraph(markdown), markdown)
  }
  t.strictSame(read('- $x$\n  $$\n  y\n  $$', 'markdown', false), full([{ type: 'bulletListItem', content: '$x$', children: [{ content: '$$\ny\n$$' }] }]))
  t.strictSame(read('<div>\n\n$$\na<b\n$$\n\n</div>', 'markdown', false), paragraph('$$\na<b\n$$'))
  for (const language of ['mermaid', 'math']) t.strictSame(read(`\`\`\`${language}\nx\n\`\`\``, 'markdown', false), full([{ type: 'codeBlock', props: { language }, content: 'x' }]))
})

await t.test('Without the setting MathML becomes its source, which is counted, and a diagram becomes code', async (t) => {
  const annotation = '<annotation encoding="application/x-tex">x\n\\y</annotation>'
  const page = `<p>a <math><semantics><mi>x</mi>${annotation}</semantics></math> b</p><math display="block"><semantics><mi>x</mi>${annotation}</semantics></math><p>c <math><mi>z</mi></math></p>`
  t.strictSame(read(page, 'html', false), full([{ content: 'a $x\n\\y$ b' }, { content: '$$x\n\\y$$' }, { content: 'c z' }]))
  t.strictSame(run(page, 'html', 'yjs', false).dropped, [{ what: 'element math', kind: 'format', count: 3 }])
  t.strictSame(read('<pre><code class="language-mermaid">a</code></pre>', 'html', false), full([{ type: 'codeBlock', props: { language: 'mermaid' }, content: 'a' }]))
})

await t.test('Without the setting the math of a document is still read and exported', async (t) => {
  const blocks = JSON.stringify([{ content: ['a ', math('x^2'), ' b ', math(' y ')] }, { type: 'mathBlock', content: 'x\ny' }, { type: 'diagram', content: 'a --> b' }])
  const update = run(blocks, 'json', 'yjs', false).body
  t.strictSame(read(update, 'yjs', false), full(JSON.parse(blocks)))
  for (const format of ['markdown', 'html', 'text'] as const) {
    t.equal(text(update, 'yjs', format, false), text(update, 'yjs', format))
    t.strictSame(run(update, 'yjs', format, false).dropped, [])
  }
})

await t.test('Without the setting a project\'s own diagrams and math are read', async (t) => {
  const own = createBlockTable(blockNoteBlocks, docsBlocks, myBlocks, { inline: [{ ...inlineMath }] })
  const input = new TextEncoder().encode('$x$\n\n```mermaid\na\n```')
  const blocks: unknown = JSON.parse(new TextDecoder().decode(convert({ input, from: 'markdown', to: 'json' }, own).body))
  t.match(blocks, [{ content: [math('x')] }, { type: 'diagram', props: { source: 'a' } }])
})
