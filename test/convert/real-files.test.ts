import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Block } from '../../src/convert/blocks/block.ts'
import { blocksToHtml } from '../../src/convert/html/blocks-to-html.ts'
import { blocksToMarkdown } from '../../src/convert/markdown/blocks-to-markdown.ts'
import { blocksToUpdate } from '../../src/convert/yjs/blocks-to-update.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToUpdate } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { withoutMath } from '../../src/convert/blocks/math-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { updateToBlocks } from '../../src/convert/yjs/update-to-blocks.ts'
import { renderGfm, seen } from './gfm.ts'

/** One file of so many is read; REAL_FILES=1 reads all of them, some 1,400, which takes minutes. */
const step = Number(process.env['REAL_FILES'] ?? 50)

const files = readdirSync('node_modules', { recursive: true, encoding: 'utf8' }).filter((path) => /\.(?:md|markdown|html?)$/i.test(path)).sort()
  .filter((path, index) => index % step === 0 && statSync(join('node_modules', path)).isFile())

/** Math is text, as it is to the renderer. */
const fromMarkdown = (markdown: string, dropped = new Dropped()) =>
  stored(markdownToUpdate(markdown, withoutMath(table), dropped))
const stored = (update: Uint8Array) => updateToBlocks(update, table, new Dropped())
const toMarkdown = (blocks: Block[], dropped = new Dropped()) => blocksToMarkdown(blocks, table, dropped)
const toHtml = (blocks: Block[], dropped = new Dropped()) => blocksToHtml(blocks, table, dropped)
const words = (text: string) => text.match(/[\p{L}\p{N}]+/gu) ?? []

const totals = { files: 0, words: 0, counted: 0, lost: 0 }

/** Where a file differs: the first line that does, so that one file hides no other. */
const differences: string[] = []

/** Compares line by line. */
function same (found: string, wanted: string, name: string): void {
  if (found === wanted) return
  const [lines, others] = [found.split('\n'), wanted.split('\n')]
  const at = Math.max(0, others.findIndex((line, index) => line !== lines[index]))
  const shown = [lines, others].map((part) => part[at]?.slice(0, 300) ?? 'nothing')
  differences.push(`${name}, line ${at + 1}: ${shown[0]} for ${shown[1]}`)
}

/** The words of one text that another lacks. The renderer joins some lines of code, so words can run together. */
function missing (from: string, within: string): string[] {
  const joined = words(within).join('')
  const left = new Map<string, number>()
  for (const word of words(within)) left.set(word, (left.get(word) ?? 0) + 1)
  return words(from).filter((word) => {
    const count = left.get(word) ?? 0
    left.set(word, count - 1)
    return count <= 0 && !joined.includes(word)
  })
}

await t.test(`Markdown and HTML of ${files.length} packages' files survive a round trip`, async (t) => {
  for (const path of files) {
    const source = readFileSync(join('node_modules', path), 'utf8')
    const isHtml = /\.html?$/i.test(path)
    // Footnotes are text here.
    const page = isHtml ? source : renderGfm(source.replaceAll('[^', '\\[^'))
    if (!isHtml) {
      const dropped = new Dropped()
      const blocks = fromMarkdown(source, dropped)
      const markdown = toMarkdown(blocks, dropped)
      same(toMarkdown(fromMarkdown(markdown)), markdown, `${path}: second markdown`)
      const [ours, rendered] = [seen(toHtml(blocks)), seen(renderGfm(markdown))]
      same(rendered.text, ours.text, `${path}: text on GitHub`)
      same(rendered.addresses.join('\n'), ours.addresses.join('\n'), `${path}: addresses on GitHub`)
      const lost = missing(seen(page).text, ours.text)
      totals.counted += dropped.list().reduce((sum, { count }) => sum + count, 0)
      if (!dropped.list().some(({ kind }) => kind === 'content')) { totals.lost += lost.length; if (lost.length > 0) differences.push(`${path}: lost ${lost.slice(0, 8).join(' ')}`) }
      totals.words += words(ours.text).length
    }
    const html = toHtml(htmlToBlocks(page, table, new Dropped()))
    same(toHtml(stored(blocksToUpdate(htmlToBlocks(html, table, new Dropped()), table))), html, `${path}: second HTML`)
    totals.files++
  }
  t.strictSame(differences, [])
  t.equal(totals.lost, 0, 'no word is lost without being counted')
  t.comment(JSON.stringify(totals))
})
