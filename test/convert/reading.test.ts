import t from 'tap'
import type { Block, Inline } from '../../src/convert/blocks/block.ts'
import { Dropped, type DroppedItem } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'

interface Read { lines: string[], dropped: string[] }

const counted = (items: DroppedItem[]) => items.map(({ kind, what, count }) => `${kind} ${what}${count === 1 ? '' : ` ${count}`}`)

function read (from: typeof htmlToBlocks, source: string): Read {
  const dropped = new Dropped()
  return { lines: from(source, table, dropped).flatMap((block) => linesOf(block)), dropped: counted(dropped.list()) }
}

const html = (source: string) => read(htmlToBlocks, source)
const markdown = (source: string) => read(markdownToBlocks, source)

/**
 * A block and those within it, one line each: its type unless a paragraph, what it says, its marks and its addresses.
 */
function linesOf (block: Block, indent = ''): string[] {
  const { type, props, content, children } = block
  const said = content === undefined
    ? [props['url'], props['name'], props['caption']].filter((value) => value !== undefined && value !== '').join(' ')
    : Array.isArray(content) ? inline(content) : content.rows.map(({ cells }) => cells.map((cell) => inline(cell.content)).join('|')).join('/')
  return [`${indent}${type === 'paragraph' ? '' : `${type}: `}${said}`, ...children.flatMap((child) => linesOf(child, indent + '  '))]
}

function inline (content: readonly Inline[]): string {
  return content.map((part) => {
    if ('href' in part) return `[${inline(part.content)}](${part.href})`
    if (!('text' in part)) return `{${part.type}}`
    const marks = Object.keys(part.styles).join(' ')
    return marks === '' ? part.text : `${marks}<${part.text}>`
  }).join('')
}

const enclosing = ['applet', 'audio', 'canvas', 'datalist', 'dialog', 'iframe', 'math', 'noembed', 'noframes', 'noscript', 'object', 'plaintext', 'script', 'select',
  'style', 'svg', 'template', 'textarea', 'title', 'video', 'xmp', 'frameset']

for (const tag of enclosing) {
  await t.test(`An open <${tag}> in markdown is text, and what follows is read`, async (t) => {
    for (const [source, lines] of Object.entries({
      [`Use <${tag}> here\n\n# Next`]: [`Use <${tag}> here`, 'heading: Next'],
      [`# The <${tag}> tag\n\nafter`]: [`heading: The <${tag}> tag`, 'after'],
      [`<div>\nUse <${tag} a="b">\n\n# Next`]: [`Use <${tag} a="b">`, 'heading: Next'],
      [`<${tag}>\n\n# Next`]: [`<${tag}>`, 'heading: Next'],
      [`- a <${tag}>\n- b`]: [`bulletListItem: a <${tag}>`, 'bulletListItem: b'],
      [`> <${tag}> a\n\nafter`]: [`quote: <${tag}> a`, 'after'],
      [`- <${tag}>\n\n  a\n- b`]: [`bulletListItem: <${tag}>`, '  a', 'bulletListItem: b'],
      [`| <${tag}> | b |\n| - | - |\n| c | d |\n\nafter`]: [`table: <${tag}>|b/c|d`, 'after'],
      [`**a <${tag}>** b`]: [`bold<a <${tag}>> b`],
    })) t.strictSame(markdown(source), { lines, dropped: [] }, source)
  })
}

await t.test('HTML in markdown that never ends is text', async (t) => {
  for (const open of ['<!--', '<!-- a', '<![CDATA[ a', '<?php a', '<!DOCTYPE a', '<div class="a']) {
    const shown = open.replace(/\s+/g, ' ')
    t.strictSame(markdown(`<div>\n${open}\n\n# Next`), { lines: [shown, 'heading: Next'], dropped: [] }, open)
    t.match(markdown(`${open}\n\n# Next`), { lines: [shown, 'heading: Next'], dropped: [] }, open)
    t.match(markdown(`- ${open}\n\nafter`), { lines: [`bulletListItem: ${shown}`, 'after'], dropped: [] }, open)
  }
  t.strictSame(markdown('<p>see <a href="x>y</a> z\n\nafter').lines, ['see <a href="x>y</a> z', 'after'])
  t.strictSame(markdown('<!x a\n\n> b\n\nc'), { lines: ['<!x a', 'quote: b', 'c'], dropped: [] })
  t.strictSame(markdown('<!DOCTYPE\nhtml>\n\na'), { lines: ['a'], dropped: [] })
  t.strictSame(markdown('a <!-- b --> c\n\n<!-- d\n\ne -->\n\nf'), { lines: ['a  c', 'f'], dropped: [] })
})

await t.test('Elements that are closed in markdown are read as in HTML', async (t) => {
  t.strictSame(markdown('a <textarea>b</textarea> c').dropped, ['content element textarea'])
  t.strictSame(markdown('<script>\n\na()\n\n</script>\n\nb'), { lines: ['b'], dropped: [] })
  t.strictSame(markdown('<svg><title><textarea></svg>\n\nb'), { lines: ['', 'b'], dropped: ['content element svg'] })
  t.strictSame(markdown('<iframe src="https://x.example/v"></iframe>\n\nb'), { lines: ['[https://x.example/v](https://x.example/v)', 'b'], dropped: ['content element iframe'] })
  t.strictSame(markdown('<xmp>a <b> c</xmp>\n\nd').lines, ['codeBlock: a <b> c', 'd'])
  t.strictSame(markdown('<video>\n<source src="https://x.example/a.mp4">\n</video>\n\nb'), { lines: ['video: https://x.example/a.mp4', 'b'], dropped: [] })
  t.strictSame(markdown('<html>\n<head>\n<title>t</title>\n</head>\n<body>\n\n# A\n\n</body>\n</html>\n\nb'), { lines: ['heading: A', 'b'], dropped: [] })
  t.strictSame(markdown('Between <head> and </body> of <html>').lines, ['Between <head> and </body> of <html>'])
  t.strictSame(markdown('Use <col> and <td> here').lines, ['Use  and  here'])
})

await t.test('An unknown tag is text in markdown, or counted if it is closed', async (t) => {
  t.strictSame(markdown('Map<String, List<Integer>> for <user-id>, see </nope>'), { lines: ['Map<String, List<Integer>> for <user-id>, see </nope>'], dropped: [] })
  t.strictSame(markdown('<div>\n<Card title="x">\n\n# A'), { lines: ['<Card title="x">', 'heading: A'], dropped: [] })
  t.strictSame(markdown('a <my-badge kind="x">*b*</my-badge> c'), { lines: ['a italic<b> c'], dropped: ['format element my-badge'] })
  t.strictSame(markdown('![a <your-name> b](https://x.example/a.png)').lines, ['image: https://x.example/a.png a <your-name> b'])
  t.strictSame(html('<p>a <x-foo>b</x-foo> <o:p>c</o:p> <blink>d</blink> e'), { lines: ['a b c d e'], dropped: [] })
})

await t.test('A summary is read completely', async (t) => {
  t.strictSame(html('<details><summary>v2 <h3>Notes</h3> of May</summary><p>body</p></details>').lines, ['heading: v2 Notes of May', '  body'])
  t.strictSame(html('<details><summary><p>a</p>b<p>c</p></summary>d</details>').lines, ['toggleListItem: a\nb\nc', '  d'])
  t.strictSame(html('<details><summary>a<ul><li>b</ul>c</summary>d</details>').lines, ['toggleListItem: a', '  bulletListItem: b', '  c', '  d'])
  t.strictSame(html('<details><summary><h2>a</h2><h3>b</h3></summary>c</details>').lines, ['toggleListItem: ', '  heading: a', '  heading: b', '  c'])
  t.strictSame(html('<details>a<summary>b</summary>c<details><summary>d</summary>e</details></details>').lines, ['toggleListItem: b', '  a', '  c', '  toggleListItem: d', '    e'])
  t.strictSame(html('<ul><li>a<details><summary>b</summary>c</details>d</li></ul>').lines, ['bulletListItem: a', '  toggleListItem: b', '    c', '  d'])
  t.strictSame(markdown('<details>\n<summary>a </oops>\n\n- b\n\n## c\n\nd\n\n</details>\n\ne').lines,
    ['toggleListItem: a </oops>', '  bulletListItem: b', '  heading: c', '  d', 'e'])
})

await t.test('A cell keeps the order of its text, and counts what it cannot hold', async (t) => {
  t.strictSame(html('<table><tr><td><p>a</p><ul><li>b<ol><li>c</li></ol></li></ul><p>d</p><h4>e</h4>f<pre>g\nh</pre>i<td>j</table>'), {
    lines: ['table: a\nb\nc\nd\ne\nf\ng\nh\ni|j'],
    dropped: ['format bulletListItem in a cell', 'format numberedListItem in a cell', 'format heading in a cell', 'format codeBlock in a cell'],
  })
  t.strictSame(html('<table><caption>t</caption><tr><td>a<table><tr><td>b<td>c<tr><td>d</table>e<img src="https://x.example/a.png">f</table>'), {
    lines: ['t', 'table: a\nb c\nd\nef', 'image: https://x.example/a.png'],
    dropped: ['format table in a cell', 'format image in a cell', 'format element caption'],
  })
  t.strictSame(markdown('<table><tr><td>\n\n- a\n- b\n\nc\n\n</td></tr></table>').lines, ['table: a\nb\nc'])
  t.strictSame(html('<table><tr style="font-weight:bold"><td>a<td style="font-weight:normal">b<td hidden>c</table>').lines, ['table: bold<a>|b'])
})

await t.test('Marks from style are inherited and can be undone', async (t) => {
  t.strictSame(html('<p style="font-weight:600">a<span style="font-weight:400">b</span></p>').lines, ['bold<a>b'])
  t.strictSame(html('<b style="font-weight:normal"><p>a <span style="font-weight:700">b</span></p></b>').lines, ['a bold<b>'])
  t.strictSame(html('<ul style="font-style:italic"><li>a<i style="font-style: normal !important">b</i></ul>').lines, ['bulletListItem: italic<a>b'])
  t.strictSame(html('<p><span style="text-decoration:underline line-through red">a</span><u style="text-decoration:none">b</u></p>').lines, ['underline strike<a>b'])
  t.strictSame(html('<p><u>a<span style="text-decoration:none">b</span></u></p>').lines, ['underline<ab>'])
  t.strictSame(html('<p><span style="font:italic bold 12px/1.5 Georgia, serif">a</span><b style="font:12px x">b</b></p>').lines, ['bold italic<a>b'])
  t.strictSame(html('<p>a<span style="vertical-align:super">2</span> <q>b</q> <mark>c</mark></p>'), { lines: ['a2 b c'], dropped: ['format style vertical-align', 'format element q', 'format element mark'] })
})

await t.test('Addresses are kept or counted', async (t) => {
  const picture = '<img src="https://x.example/t.png" alt="t">'
  t.strictSame(html(`<p><a href="https://x.example/full">${picture}</a></p>`).lines, ['image: https://x.example/t.png t', '[https://x.example/full](https://x.example/full)'])
  t.strictSame(html(`<p><a href="https://x.example/full">${picture} text</a></p>`).lines, ['[text](https://x.example/full)', 'image: https://x.example/t.png t'])
  t.strictSame(html(`<figure><a href="https://x.example/full">${picture}</a><figcaption>c</figcaption></figure>`).lines, ['image: https://x.example/t.png t c', '[https://x.example/full](https://x.example/full)'])
  t.strictSame(html(`<a href="https://x.example/full"><figure>${picture}<figcaption>c</figcaption></figure></a>`).lines, ['image: https://x.example/t.png t c', '[https://x.example/full](https://x.example/full)'])
  t.strictSame(markdown('- [![a](https://x.example/a.svg)](https://ci.example/)').lines, ['bulletListItem: ', '  image: https://x.example/a.svg a', '  [https://ci.example/](https://ci.example/)'])
  t.strictSame(html('<a href="https://x.example/"></a><p>a</p>'), { lines: ['a'], dropped: ['format link without text'] })
  t.strictSame(html('<a href="https://x.example/"><ul><li>a</ul></a>').lines, ['bulletListItem: [a](https://x.example/)'])
  t.strictSame(html('<video poster="https://x.example/p.png"><source src="https://x.example/a.webm"><source src="https://x.example/a.mp4">No <a href="https://x.example/d">film</a></video>'), {
    lines: ['video: https://x.example/a.webm'],
    dropped: ['format address in video 3', 'format fallback of video'],
  })
  t.strictSame(html('<picture><source srcset="https://x.example/a.webp"><img srcset="https://x.example/a.png 1x, https://x.example/b.png 2x"></picture>'), {
    lines: ['image: https://x.example/a.png'],
    dropped: ['format element source', 'format address in image'],
  })
  t.strictSame(html('<object data="https://x.example/a.svg">a</object><map><area href="https://x.example/b" alt="b"></map>'), {
    lines: ['[https://x.example/a.svg](https://x.example/a.svg)', '[b](https://x.example/b)'],
    dropped: ['content element object', 'content element area'],
  })
  t.strictSame(html('<blockquote cite="https://x.example/">a</blockquote><pre><a href="https://x.example/">b</a></pre>').dropped, ['format attribute cite', 'content address in code'])
  t.strictSame(markdown('[a]: https://x.example/a\n[b]: https://x.example/b\n\n[a]').dropped, ['format link definition'])
})

await t.test('A figure is read with all its content', async (t) => {
  t.strictSame(html('<figure><img src="https://x.example/a.png"><img src="https://x.example/b.png"><p>beside</p><figcaption>see <a href="https://x.example/c">here</a></figcaption></figure>').lines,
    ['image: https://x.example/a.png', 'image: https://x.example/b.png', 'beside', 'see [here](https://x.example/c)'])
  t.strictSame(html('<figure><figure><img src="https://x.example/a.png"><figcaption>a</figcaption></figure><figure><video src="https://x.example/b.mp4"></video></figure><figcaption>all</figcaption></figure>').lines,
    ['image: https://x.example/a.png a', 'video: https://x.example/b.mp4', 'all'])
  t.strictSame(html('<figure><picture><img src="https://x.example/a.png"></picture>\n<figcaption>\n  one  line\n</figcaption></figure>').lines, ['image: https://x.example/a.png one line'])
  t.strictSame(html('<figure><pre>a</pre><figcaption>b</figcaption></figure>').lines, ['codeBlock: a', 'b'])
})

await t.test('White space is read as in browsers', async (t) => {
  t.strictSame(html('<p>next <i> it</i> end </p><ul><li><input type="checkbox" checked> done</li></ul><ul><li><!-- c -->\n\t<a href="/x">\t News</a></li></ul>').lines,
    ['next italic<it> end', 'checkListItem: done', 'bulletListItem: [News](/x)'])
  t.strictSame(html('<p>a <b> </b> b&nbsp; &nbsp;c<br> d</p> <p> e </p>').lines, ['a b\u00a0 \u00a0c\nd', 'e'])
  t.strictSame(html('<p style="white-space:pre-wrap">a  b\nc</p><p style="white-space:pre-line">a  b\n c</p><div style="white-space:pre">a  <span style="white-space:normal">b  c</span></div>').lines, ['a  b\nc', 'a b\nc', 'a  b c'])
  t.strictSame(html('<h2> a  b </h2><td> c </td><blockquote>\n  d\n</blockquote>').lines, ['heading: a b', 'c', 'quote: d'])
})

await t.test('Blocks within a program are lines of it', async (t) => {
  const programs: Array<[string, string]> = [
    ['<ol><li>a</li><li>b</li></ol>', 'a\nb'], ['<p>a</p><p>b</p>', 'a\nb'], ['a<br>b', 'a\nb'], ['<div>a</div><div><br></div><div>b</div>', 'a\n\nb'],
    ['<span style="display:block">a</span><span style="display:block">b</span>', 'a\nb'], ['a<div>b\n</div>c', 'a\nb\nc'], ['<code><div>a</div><div>b</div></code>', 'a\nb'],
  ]
  for (const [source, code] of programs) t.strictSame(html(`<pre>${source}</pre>`).lines, [`codeBlock: ${code}`], source)
})

await t.test('Captions and summaries come first, wherever they are written', async (t) => {
  const captions = '<caption></caption><caption>b</caption>'
  for (const cell of [`<td>a${captions}`, `<td>a<i>${captions}</i>`]) {
    t.strictSame(html(`<table><tr>${cell}</table>`).lines, ['b', 'table: a'])
    t.strictSame(html(`<table><tr><td>c<table><tr>${cell}</table>d</table>`).lines, ['table: c\nb\na\nd'])
    t.strictSame(html(`<pre><table><tr>${cell}</table></pre>`).lines, ['codeBlock: b\na\t'])
  }
  t.strictSame(html('<pre><details>a<summary>b</summary><summary>c</summary></details></pre>').lines, ['codeBlock: b\na\nc'])
})

await t.test('Hidden elements are no text, and visible ones without a block are counted', async (t) => {
  t.strictSame(html('<p hidden>a</p><div style="display:none">b</div><script>c</script><dialog>d</dialog><template>e</template><p>f</p>'), { lines: ['f'], dropped: [] })
  t.strictSame(html('<dialog open>a</dialog><input value="b"><input type="hidden" value="c"><select><option>d</select>'), { lines: ['a'], dropped: ['content element input', 'content element select'] })
  t.strictSame(html('<div data-page-break="">a</div>').dropped, ['content content of pageBreak'])
})

await t.test('HTML that ends within a tag or the like is counted', async (t) => {
  for (const open of ['<a href="x>b', '<!-- b', '<textarea>b', '<title>b', '<script>b', '<style>b', '<svg><![CDATA[b', '<p class=']) {
    t.ok(html(`<p>a</p>${open}`).dropped.includes('content unfinished HTML'), open)
  }
  t.strictSame(html('<p>a<b>b<ul><li>c'), { lines: ['abold<b>', 'bulletListItem: bold<c>'], dropped: [] })
})
