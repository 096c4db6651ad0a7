import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Block } from '../../src/convert/blocks/block.ts'
import { blocksToHtml } from '../../src/convert/html/blocks-to-html.ts'
import { blocksToMarkdown } from '../../src/convert/markdown/blocks-to-markdown.ts'
import { blocksToText } from '../../src/convert/blocks/blocks-to-text.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { validateBlocks } from '../../src/convert/blocks/validate-blocks.ts'
import { sayableBlocks } from './arbitrary-blocks.ts'
import { renderGfm, seen } from './gfm.ts'
import { withoutIds } from './without-ids.ts'

const fromHtml = (html: string) => htmlToBlocks(html, table, new Dropped())
const fromMarkdown = (markdown: string) => markdownToBlocks(markdown, table, new Dropped())
const toMarkdown = (blocks: Block[]) => blocksToMarkdown(blocks, table, new Dropped())
const toHtml = (blocks: Block[]) => blocksToHtml(blocks, table, new Dropped())

/** Markdown says to GitHub and to our reader what the HTML of the same blocks says. */
function agrees (blocks: Block[]): void {
  const [markdown, html] = [toMarkdown(blocks), toHtml(blocks)]
  deepEqual(seen(renderGfm(markdown)), seen(html), markdown)
  deepEqual(seen(toHtml(fromMarkdown(markdown))), seen(html), markdown)
}

// GFM_RUNS makes it long, GFM_SEED repeats one.
const numRuns = Number(process.env['GFM_RUNS'] ?? 300)
const seed = Number(process.env['GFM_SEED'] ?? 7)

await t.test(`GitHub shows our markdown of random blocks as our HTML, seed ${seed}`, async () => {
  // Renderers differ in math.
  const withoutMath = sayableBlocks().filter((blocks) => !/"(?:math|mathBlock)"/.test(JSON.stringify(blocks)))
  fc.assert(fc.property(withoutMath, (input) => agrees(validateBlocks(input, table, new Dropped()))), { numRuns, seed })
})

await t.test('GitHub shows our text unchanged and makes no links of it', async (t) => {
  for (const text of [
    'See https://x.example/a_b_(c) or https://x.example/_id_/[1] end!', 'http://x.y/x*y*z?a=1&copy=2&lt;', '(https://a.b/c).', 'xhttps://a.b', 'FTP://a.b/c',
    'www.x.y/_a_', '*www.x.y*', 'me@x.example', 'a_b_c@x-y.example, mailto:a@b.c, xmpp:a@b.c/d',
    '10~20 people, 30~40 chairs', '~one~', '~~two~~', '~~~', '~~~ a', '~ a ~', '```', '``` a', '`a`', '``a`b``', '`',
    '[^1] and [^1]: Smith.', '[^1]: Smith.', '[a]: b', '[a][b]', '[a](b)', '![a](b)', '![a][b]', '[a\\]: b',
    '*a*', '**a**', '_a_', '__a__', '***', '* * *', '_ _ _', '- - -', '---', '--', '===', '* a', '+ a', '- a', '-', '1. a', '1) a', '1986. A year', '# a', '#a', '> a',
    '[ ] a', '[x] a', '<b>', 'a<b>c', 'a < b > c', '<!-- a -->', '<?a?>', '</p>', '<div', '<https://a.b>', '<a@b.c>', 'List<String>', '&amp;', '&#42;', '&copy', 'AT&T',
    'a\\', 'C:\\dir\\*', '\\*', '\\\\', '|a|b|\n|-|-|', 'a\n===', 'a\n---', 'a\n- b', 'a\n1. b', 'a\n2. b', 'a\n# b', 'a\n> b', 'a\n[^1]: b', 'a\n```', 'a\\\nb', '__\nb__', '***\n ***.', '*a\n * b', '*a * ', 'a\n* \nb', 'a\n1. \nb', '*~~*a', 'a\\\u00a0',
  ]) {
    agrees([...validateBlocks([{ content: text }, { type: 'heading', content: text }, { type: 'bulletListItem', content: text, children: [{ content: text }] }, { type: 'quote', content: text },
      { type: 'checkListItem', content: text }, { type: 'table', content: { rows: [{ cells: [text, [{ type: 'text', text: text.replaceAll('\n', ' '), styles: { code: true } }]] }] } }], table, new Dropped())])
    t.pass(JSON.stringify(text))
  }
})

await t.test('Addresses and labels keep brackets, blanks and signs', async (t) => {
  for (const href of ['https://a.b/(c)', 'https://a.b/c)', 'https://a.b/((', 'https://a.b/<c>', 'https://a.b/c d', 'https://a.b/c\\*d', 'https://a.b/?c&copy;=d', '/a_b_*c*', '#a', '']) {
    for (const text of [href || 'x', '[a]', 'a]', '[a', '[a](b)', '![a]', 'a!', '*a*', '`a', 'https://c.d/_e_', 'a\\', '^[^1]: a']) {
      agrees(validateBlocks([{ content: ['wow!', { type: 'link', href, content: text }, '(b)'] }], table, new Dropped()))
      if (href !== '') agrees(validateBlocks([{ type: 'image', props: { url: href, name: text } }, { type: 'file', props: { url: href, name: text } }], table, new Dropped()))
    }
    t.pass(href)
  }
})

await t.test('GitHub links our links, and no address that is text', async (t) => {
  const link = (href: string, content = href) => ({ type: 'link', href, content })
  for (const [content, markdown, links] of [
    [link('https://a.b/_c_?d=1&e=2'), '<https://a.b/_c_?d=1&e=2>', 1],
    [link('https://a.b/', 'a.b'), '[a.b](https://a.b/)', 1],
    [link('mailto:me@x.example', 'me@x.example'), '[me@x.example](mailto:me@x.example)', 1],
    ['https://a.b', 'https\\://a.b', 0], ['www.a.b', 'www\\.a.b', 0], ['me@x.example', 'me\\@x.example', 0], ['[^1]: a', '\\[^1]: a', 0],
  ] as const) {
    const blocks = validateBlocks([{ content: [content] }], table, new Dropped())
    const written = toMarkdown(blocks)
    t.equal(written, markdown + '\n')
    t.equal(seen(renderGfm(written)).addresses.length, links, markdown)
    t.same(withoutIds(fromMarkdown(written)), withoutIds(blocks), markdown)
  }
})

await t.test('A name keeps signs beside a line break', async (t) => {
  const file = validateBlocks([{ type: 'file', props: { url: 'https://a.b/', name: '* * *\n* *' } }], table, new Dropped())
  t.equal(seen(toHtml(fromMarkdown(toMarkdown(file)))).text, '* * * * *')
  t.equal(fromMarkdown(toMarkdown(validateBlocks([{ type: 'image', props: { url: 'https://a.b/', name: 'a\\\nbcd' } }], table, new Dropped())))[0]?.props['name'], 'a\\\nbcd')
})

await t.test('An item that begins like a rule or a checkbox stays an item', async () => {
  agrees(validateBlocks([{ type: 'bulletListItem', content: '**' }, { type: 'bulletListItem', content: ['[x]', { type: 'text', text: 'a', styles: { code: true } }] }], table, new Dropped()))
})

await t.test('No character is escaped without need', async (t) => {
  for (const text of [
    'Hello world!', '[draft] a', '[x] a', 'a [b] (c)', 'see [^1]', 'https: a', 'user@host', 'npm i a@1.2.3', '2 * 3 * 4', '5* hotel', 'snake_case', '_a', 'about ~20', '~ a', '$5',
    'a < b', 'a <b', '1 <2> 3', 'AT&T; a & b', 'C:\\dir\\file', 'a\n2. b', 'a\n+', '=== a', '--', ': a', 'a|b', '#tag', '1.5', 'it`s', '!', 'a\n[b]',
  ]) {
    t.equal(toMarkdown(validateBlocks([{ content: text }], table, new Dropped())), text.replaceAll('\n', '\\\n') + '\n')
    agrees(validateBlocks([{ content: text }], table, new Dropped()))
  }
  for (const heading of ['1. Intro', '- a', '> a', '[a]: b']) t.equal(toMarkdown(validateBlocks([{ type: 'heading', content: heading }], table, new Dropped())), `# ${heading}\n`)
  t.equal(toMarkdown(fromHtml('<a href="https://a.b/c_(d)">e</a>')), '[e](https://a.b/c_(d))\n')
})

await t.test('Numbers continue after children, and restart after other blocks and in another list', async (t) => {
  const html = toHtml(fromMarkdown('1. one\n\n   ```\n   code\n   ```\n2. two\n\n   para\n3. three\n   - a\n   - b\n\n     c\n4. four'))
  t.match(html, /<ol><li><p>one<.*<ol start="2"><li><p>two<.*<ol start="3"><li><p>three<.*<li><p>four</)
  const numbered = (content: string, more = {}) => ({ type: 'numberedListItem', content, ...more })
  const nested = numbered('a', { children: [{ content: 'p' }, numbered('inner')] })
  for (const input of [
    [nested, nested, numbered('c')],
    [numbered('a'), { content: 'p', children: [numbered('x')] }, numbered('b')],
    [{ content: 'p', children: [numbered('x')] }, numbered('b')],
    [numbered('a'), { content: '' }, numbered('b')],
    [numbered('a'), { type: 'bulletListItem', content: 'x' }, numbered('b')],
    [numbered('a'), numbered('b', { props: { start: 1 } }), numbered('c'), numbered('d', { props: { start: 7 } })],
    [numbered('a', { props: { start: 0 } }), numbered('b', { children: [{ type: 'toggleListItem', content: 't' }, { type: 'divider' }] }), numbered('c')],
  ]) agrees(validateBlocks(input, table, new Dropped()))
  t.equal(blocksToText(fromMarkdown('0. a\n1. b\n\n5) c'), table, new Dropped()), '0. a\n1. b\n5. c\n')
})

await t.test('Two adjacent lists stay two', async (t) => {
  for (const source of ['1. a\n2. b\n\n1) c\n', '3) a\n\n1. b\n']) {
    const blocks = fromMarkdown(source)
    t.equal(seen(toHtml(blocks)).text, seen(renderGfm(source)).text)
    t.same(withoutIds(fromMarkdown(toMarkdown(blocks))), withoutIds(blocks))
    t.same(withoutIds(fromHtml(toHtml(blocks))), withoutIds(blocks))
  }
  t.same(fromHtml('<ol><li>a</ol><ol><li>b</ol><ol start=2><li>c</ol>').map(({ props }) => props['start']), [undefined, 1, undefined])
  t.same(fromMarkdown('1. a\n\n<!-- -->\n\n1. b').map(({ props }) => props['start']), [undefined, 1])
})

await t.test('The children of an empty block stay', async (t) => {
  const inside = [{ type: 'heading', props: { level: 5 }, content: 'T' }, { content: 'y' }, { type: 'bulletListItem', content: 'z' }, { type: 'divider' }, { type: 'codeBlock', content: 'c' }, { type: 'quote', content: 'q' }]
  for (const type of ['bulletListItem', 'numberedListItem', 'checkListItem', 'toggleListItem', 'quote', 'heading', 'paragraph']) {
    for (let first = 0; first < inside.length; first++) {
      const children = [{ content: '' }, ...inside.slice(first)]
      const blocks = validateBlocks([{ type: 'bulletListItem', content: 'a' }, { type, content: '', children }, { type, content: '', children: [{ type, content: '' }] }], table, new Dropped())
      t.same(seen(renderGfm(toMarkdown(blocks))).text.replace(/[•\n]|\[ \]|\d\./g, ''), seen(toHtml(blocks)).text.replace(/[•\n]|\[ \]|\d\./g, ''), type)
    }
  }
  t.equal(toMarkdown(fromHtml('<ul><li>a</li><li><p></p><h5>T</h5><p>y</p></li><li>c</li></ul>')), '* a\n*\n  ##### T\n\n  y\n* c\n')
})

await t.test('Footnotes are text, and alerts read back as alerts', async (t) => {
  const blocks = fromMarkdown('A claim[^1] and more[^2].\n\n[^1]: Smith.\n[^2]: https://a.b/c\n')
  t.equal(blocksToText(blocks, table, new Dropped()), 'A claim[^1] and more[^2].\n[^1]: Smith.\n[^2]: https://a.b/c\n')
  agrees(blocks)
  for (const kind of ['NOTE', 'tip', 'IMPORTANT', 'WARNING', 'CAUTION']) {
    for (const rest of ['> Mind the gap', '>\n> * a\n> * b', '> ```text\n> c\n> ```']) {
      const alert = `> [!${kind}]\n${rest}\n`
      const markdown = rest.startsWith('> `') ? alert.replace(']\n', ']\n>\n') : alert
      t.equal(toMarkdown(fromMarkdown(alert)), markdown)
      t.equal(toMarkdown(markdownToBlocks(alert, table, new Dropped(), { softBreaks: 'space' })), markdown)
    }
  }
})
