import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import t from 'tap'
import type { Block, Inline } from '../../src/convert/blocks/block.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { anyHtml, anyMarkdown } from './arbitrary-html.ts'

/** `READING_RUNS=100000` looks for longer; `READING_SEED` repeats what a failure printed. */
const runs = Number(process.env['READING_RUNS'] ?? 400)
const parameters = { numRuns: runs, seed: Number(process.env['READING_SEED'] ?? 7) }

/** Everything that blocks say, in order. */
function said (blocks: readonly Block[]): string {
  return blocks.map(({ props, content, children }) => `${Object.values(props).join(' ')} ${contentOf(content)} ${said(children)}`).join(' ')
}

function contentOf (content: Block['content']): string {
  if (content === undefined) return ''
  return Array.isArray(content) ? inline(content) : content.rows.map(({ cells }) => cells.map((cell) => inline(cell.content)).join(' ')).join(' ')
}

function inline (content: readonly Inline[]): string {
  return content.map((part) => 'href' in part ? `${part.href} ${inline(part.content)} ` : 'text' in part ? part.text : '').join('')
}

const wordsOf = (text: string) => text.match(/w\d+w/g) ?? []
const addressesOf = (text: string) => text.match(/https:\/\/x\.example\/a\d+a/g) ?? []

const unseen = new Set(['script', 'style', 'template', 'title', 'noscript', 'noembed', 'noframes', 'dialog', 'head'])
/** Elements whose content is counted as a whole, or is separate from the text around it. */
const apart = new Set(['audio', 'canvas', 'iframe', 'math', 'object', 'select', 'svg', 'textarea', 'video'])

function isUnseen (node: DefaultTreeAdapterTypes.Node): boolean {
  return 'tagName' in node && (unseen.has(node.tagName) || node.attrs.some(({ name, value }) => name === 'style' && value === 'display:none'))
}

/** The words that a browser shows, as its own tree has them. */
function shownWords (node: DefaultTreeAdapterTypes.Node): string[] {
  if (node.nodeName === '#text') return wordsOf((node as DefaultTreeAdapterTypes.TextNode).value)
  if (isUnseen(node) || apart.has(node.nodeName) || !('childNodes' in node)) return []
  // A summary and captions come first, wherever they are written.
  const isFirst = ({ nodeName }: DefaultTreeAdapterTypes.Node) => nodeName === (node.nodeName === 'details' ? 'summary' : 'caption')
  const firsts = node.nodeName === 'details' ? node.childNodes.filter(isFirst).slice(0, 1) : node.nodeName === 'table' ? node.childNodes.filter(isFirst) : []
  const children = [...firsts, ...node.childNodes.filter((child) => !firsts.includes(child))]
  return children.flatMap(shownWords)
}

function shownAddresses (node: DefaultTreeAdapterTypes.Node): string[] {
  if (isUnseen(node)) return []
  const own = 'attrs' in node ? node.attrs.flatMap(({ value }) => addressesOf(value)) : []
  return 'childNodes' in node ? [...own, ...node.childNodes.flatMap(shownAddresses)] : own
}

await t.test('HTML: every word that a browser shows is read in order, every address is read or counted', async () => {
  fc.assert(fc.property(anyHtml(), (source) => {
    const dropped = new Dropped()
    const output = said(htmlToBlocks(source, table, dropped))
    const shown = shownWords(parse(source))
    const read = wordsOf(output)
    const known = new Set(shown)
    equal(read.filter((word) => known.has(word)).join(' '), shown.join(' '), `${source}\n${output}`)
    if (dropped.list().length > 0) return
    const addresses = new Set(addressesOf(output))
    for (const address of shownAddresses(parse(source))) ok(addresses.has(address), `${address} of ${source}`)
  }), parameters)
})

await t.test('Markdown: every word is read, every address is read or counted, even if HTML is not closed', async () => {
  fc.assert(fc.property(anyMarkdown(), (source) => {
    const dropped = new Dropped()
    const output = said(markdownToBlocks(source, table, dropped))
    const read = new Set([...wordsOf(output), ...addressesOf(output)])
    const missing = [...wordsOf(source), ...addressesOf(source)].filter((token) => !read.has(token))
    ok(missing.length === 0 || dropped.list().length > 0, `${missing.join(' ')} of ${source}\n${output}`)
    // The last word is never lost.
    ok(read.has(wordsOf(source).at(-1) ?? ''), source)
  }), parameters)
})
