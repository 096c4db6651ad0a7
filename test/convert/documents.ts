/** Documents as people write them, in forms that ours and BlockNote's reader agree on. */
export const markdownDocuments = [
  '',
  '# Title\n\nA paragraph with **bold**, _italic_, ***both***, ~~struck~~, `code` and a [link](https://example.org/a?b=c).',
  'First line\nsecond line  \nthird line\\\nfourth line',
  '- one\n- two\n  - nested\n    - deeper\n- three',
  '* one\n+ two',
  '1. one\n2. two\n3. three',
  '7. seven\n8. eight',
  '- [ ] open\n- [x] done\n- plain',
  '- a\n\n  second paragraph\n\n  ```js\n  code()\n  ```\n- b',
  '1. a\n   - b\n   - c\n2. d',
  '> one line\n> two lines\n>\n> second paragraph',
  '> **bold** in a quote',
  '```python\ndef f():\n    return "`"\n```\n\n~~~\nplain\n~~~',
  '| a | b |\n| --- | --- |\n| 1 | **2** |\n| 3 | `4` |',
  '|   |   |\n| --- | --- |\n| 1 | 2 |',
  'before\n\n---\n\nafter\n\n***',
  '![a picture](https://example.org/p.png)',
  '![a film](https://example.org/f.mp4)',
  '<figure><img alt="n" src="https://example.org/p.png"><figcaption>a caption</figcaption></figure>',
  '<details><summary>Summary</summary>\n\ninside\n\n- item\n\n</details>',
  'text with <u>underline</u> and <strong>strong</strong>',
  'עברית עם **מודגש** ו-[קישור](https://example.org)\n\n# كتابة عربية',
  '😀 emoji **👩‍👩‍👧‍👦 family** 한국어 `日本語`',
  'snake_case_word and 2 * 3 * 4 and a_b',
  '\\*not emphasis\\* and \\# no heading',
  '## Heading with `code` and *emphasis*\n\n### Closed ###\n\nSetext\n===\n\nSecond\n---',
  '- ![only a picture](https://example.org/p.png)',
  '[**bold** link](https://example.org)',
]

const text = (text: string, styles = {}) => ({ type: 'text', text, styles })
const paragraph = (content: unknown, props = {}) => ({ type: 'paragraph', props, content })

/** Block JSON of which ours and BlockNote's writers make the same HTML and the same markdown. */
export const blockDocuments: Record<string, unknown[]> = {
  'every mark': [paragraph([
    text('bold', { bold: true }), text(' and '), text('italic', { italic: true }), text(' and '),
    text('struck', { strike: true }), text(' '), text('code', { code: true }), text(' '),
    { type: 'link', href: 'https://example.org/?a=1&b=2', content: [text('link')] }, text(' <&> end'),
  ])],
  'a link in bold': [paragraph([{ type: 'link', href: 'https://example.org', content: [text('all bold', { bold: true })] }])],
  'line breaks': [paragraph([text('one\ntwo\nthree')])],
  headings: [1, 2, 3, 4, 5, 6].map((level) => ({ type: 'heading', props: { level }, content: `Level ${level}` })),
  'props and colours': [
    paragraph('centred', { textAlignment: 'center', textColor: 'red', backgroundColor: 'blue' }),
    { type: 'heading', props: { level: 2, textAlignment: 'right', textColor: 'pink' }, content: 'right' },
    { type: 'quote', props: { textColor: 'red' }, content: 'red' },
  ],
  'lists in lists': [
    { type: 'bulletListItem', content: 'a', children: [{ type: 'bulletListItem', content: 'b', children: [{ type: 'bulletListItem', content: 'c' }] }] },
    { type: 'bulletListItem', content: 'd' },
    { type: 'checkListItem', props: { checked: true }, content: 'done' },
    { type: 'checkListItem', content: 'open' },
    { type: 'numberedListItem', props: { start: 4 }, content: 'four' },
    { type: 'numberedListItem', content: 'five', children: [{ type: 'numberedListItem', content: 'one' }] },
  ],
  code: [{ type: 'codeBlock', props: { language: 'js' }, content: 'if (a < b) {\n  c()\n}' }, { type: 'codeBlock', content: '' }],
  'a table': [{ type: 'table', props: { textColor: 'red' }, content: { type: 'tableContent', columnWidths: [100, null], headerRows: 1, rows: [{ cells: ['a', [text('b', { bold: true })]] }, { cells: ['1', 'two | pipes'] }] } }],
  'a table without a header': [{ type: 'table', content: { type: 'tableContent', rows: [{ cells: ['1', ''] }, { cells: ['a long cell', 'x'] }] } }],
  media: [
    { type: 'image', props: { url: 'https://example.org/p.png', name: 'name', caption: 'caption' } },
    { type: 'image', props: { url: 'https://example.org/p.png', name: 'name' } },
    { type: 'video', props: { url: 'https://example.org/f.mp4', name: 'film' } },
    { type: 'audio', props: { url: 'https://example.org/s.mp3' } },
    { type: 'file', props: { url: 'https://example.org/f.zip', name: 'file' } },
    { type: 'file', props: { url: 'https://example.org/f.zip', name: 'file', caption: 'caption' } },
  ],
  'small things': [{ type: 'divider' }, paragraph('after'), paragraph(''), paragraph('after an empty one'), { type: 'quote', content: 'quote' }],
  nesting: [{ ...paragraph('parent'), children: [paragraph('child'), { ...paragraph('second'), children: [paragraph('grandchild')] }] }],
  'a toggle heading': [{ type: 'heading', props: { level: 2, isToggleable: true }, content: 'toggle', children: [paragraph('inside')] }],
  'other scripts': [paragraph('שלום עולם', { textAlignment: 'right' }), paragraph('😀👩‍👩‍👧‍👦 한국어')],
}
