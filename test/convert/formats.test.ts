import { readFileSync } from 'node:fs'
import t from 'tap'
import { inputFormatOf, negotiate } from '../../src/convert/formats.ts'
import { rootUrl } from '../root.ts'

await t.test('Content-Type names the input format', async (t) => {
  for (const [header, format] of [
    [undefined, 'markdown'], ['', 'markdown'], ['text/markdown', 'markdown'], ['text/x-markdown', 'markdown'],
    ['Text/Markdown; charset=latin-1', 'markdown'], ['application/x-www-form-urlencoded', 'markdown'],
    ['application/vnd.yjs.doc', 'yjs'], ['application/octet-stream', 'yjs'], ['application/vnd.blocknote+json', 'json'],
    ['text/html; charset=utf-8', 'html'], ['application/json', undefined], ['text/plain', undefined], ['markdown', undefined],
    ['constructor', undefined], [';', undefined],
  ] as const) t.equal(inputFormatOf(header), format, String(header))
})

await t.test('Accept chooses the output format', async (t) => {
  for (const [header, mediaType] of [
    [undefined, 'application/vnd.yjs.doc'],
    ['', 'application/vnd.yjs.doc'],
    ['*/*', 'application/vnd.yjs.doc'],
    ['application/octet-stream', 'application/octet-stream'],
    ['application/json', 'application/json'],
    ['application/vnd.blocknote+json', 'application/vnd.blocknote+json'],
    ['TEXT/X-Markdown', 'text/x-markdown'],
    ['text/html', 'text/html'],
    ['text/plain', 'text/plain'],
    ['text/html, text/markdown', 'text/html'],
    ['text/html;q=0.5, text/markdown', 'text/markdown'],
    ['text/html;q=0.5, text/markdown;q=0.5', 'text/html'],
    ['text/html ; level=1 ; q=0.5, text/markdown; q=0.4', 'text/html'],
    ['image/png, text/html', 'text/html'],
    ['text/*', 'text/markdown'],
    ['text/*, text/markdown;q=0', 'text/x-markdown'],
    ['*/*, application/vnd.yjs.doc;q=0', 'application/octet-stream'],
    ['*/*;q=0.1, text/html', 'text/html'],
    ['*/*, text/html;q=0.1', 'application/vnd.yjs.doc'],
    ['image/png', undefined],
    ['text/html;q=0', undefined],
    ['*/*;q=0', undefined],
    ['text/html;q=often', undefined],
    ['text/html;q=2', undefined],
    [',,;', undefined],
    ['constructor', undefined],
    ['text/html'.repeat(5000), undefined],
  ] as const) t.equal(negotiate(header)?.mediaType, mediaType, String(header).slice(0, 60))
})

await t.test('Every documented media type is accepted', async (t) => {
  const page = readFileSync(new URL('docs/conversion.md', rootUrl), 'utf8')
  const mediaTypesIn = (cell: string) => cell.match(/(?:text|application)\/[\w.+-]+/g) ?? []
  const rows = page.split('\n').filter((line) => /^\|.*\|.*`(?:text|application)\//.test(line)).map((line) => line.split('|'))
  t.equal(rows.length, 5)
  for (const [, , read = '', written = ''] of rows) {
    const inputs = mediaTypesIn(read)
    for (const type of inputs) t.ok(inputFormatOf(type), type)
    const outputs = written.includes('the same') ? inputs : mediaTypesIn(written)
    for (const type of outputs) t.equal(negotiate(type)?.mediaType, type)
  }
})
