import { deepEqual, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import * as Y from 'yjs'
import { blocksToHtml } from '../../src/convert/html/blocks-to-html.ts'
import { blocksToMarkdown } from '../../src/convert/markdown/blocks-to-markdown.ts'
import { blocksToUpdate } from '../../src/convert/yjs/blocks-to-update.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks, markdownToUpdate } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable as table } from '../../src/convert/blocks/standard-table.ts'
import { updateToBlocks } from '../../src/convert/yjs/update-to-blocks.ts'
import { validateBlocks } from '../../src/convert/blocks/validate-blocks.ts'
import { anyBlocks, anyText, sayableBlocks } from './arbitrary-blocks.ts'
import { withoutIds } from './without-ids.ts'
import { tries } from '../update/tries.ts'

/** Seed of the random documents; `ROUND_TRIP_SEED` tries others. */
const seed = Number(process.env['ROUND_TRIP_SEED'] ?? 7)

await t.test('Blocks survive a round trip through Yjs, with their ids', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    deepEqual(updateToBlocks(blocksToUpdate(blocks, table), table, new Dropped()), blocks)
  }), { numRuns: tries(150), seed })
})

await t.test('Markdown gives the same update block by block and at once', async () => {
  fc.assert(fc.property(anyBlocks(), anyText, (input, text) => {
    const markdown = blocksToMarkdown(validateBlocks(input, table, new Dropped()), table, new Dropped()) + '\n' + text
    const [whole, streamed] = [new Dropped(), new Dropped()]
    const blocks = markdownToBlocks(markdown, table, whole)
    const update = markdownToUpdate(markdown, table, streamed)
    deepEqual(withoutIds(updateToBlocks(update, table, new Dropped())), withoutIds(blocks), markdown)
    deepEqual(streamed.list(), whole.list())
  }), { numRuns: tries(150), seed })
})

await t.test('An update of several megabytes is complete', async () => {
  const markdown = 'é word — 😀 *text*\n\n'.repeat(5000) + '```\n' + 'x'.repeat(3_000_000) + '\n```\n'
  const blocks = markdownToBlocks(markdown, table, new Dropped())
  const update = blocksToUpdate(blocks, table)
  deepEqual(updateToBlocks(update, table, new Dropped()), blocks)
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  deepEqual(updateToBlocks(Y.encodeStateAsUpdate(document), table, new Dropped()), blocks)
})

await t.test('Blocks survive a round trip through JSON', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    deepEqual(validateBlocks(JSON.parse(JSON.stringify(blocks)), table, new Dropped()), blocks)
  }), { numRuns: tries(150), seed })
})

await t.test('Blocks survive a round trip through HTML', async () => {
  fc.assert(fc.property(anyBlocks(table, (spec) => !('transient' in spec)), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    const html = blocksToHtml(blocks, table, new Dropped(), 'https://docs.example.org')
    deepEqual(withoutIds(htmlToBlocks(html, table, new Dropped())), withoutIds(blocks), html)
  }), { numRuns: tries(150), seed })
})

await t.test('Blocks that markdown can express survive a round trip through it', async () => {
  fc.assert(fc.property(sayableBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    const markdown = blocksToMarkdown(blocks, table, new Dropped())
    deepEqual(withoutIds(markdownToBlocks(markdown, table, new Dropped())), withoutIds(blocks), markdown)
  }), { numRuns: tries(250), seed })
})

await t.test('Blanks at the edges of names, captions and links lose no address, and nothing in a second round trip', async () => {
  const read = (markdown: string) => withoutIds(markdownToBlocks(markdown, table, new Dropped()))
  const write = (input: unknown) => blocksToMarkdown(validateBlocks(input, table, new Dropped()), table, new Dropped())
  for (const blanks of [' ', '  a ', '\n', ' \n ', 'a\n b', 'a \n\n b', '\ta']) {
    const url = 'https://a.b/c'
    const media = ['pdf', 'file', 'image', 'audio'].flatMap((type) => ['name', 'caption'].map((prop) => {
      return { type, props: { url, [prop]: blanks, ...type === 'audio' && { showPreview: false } } }
    }))
    const hasLink = blanks.trim() !== '' || !blanks.includes('\n')
    const links = hasLink ? [{ content: ['q\n', { type: 'link', href: url, content: blanks }] }] : []
    const within = (type: string, block: unknown) => [{ type, content: 'q', children: [block] }]
    for (const block of [...media, ...links]) {
      for (const input of [[block], within('quote', block), within('bulletListItem', block)]) {
        const markdown = write(input)
        const again = write(read(markdown))
        deepEqual(read(again), read(markdown), markdown)
        ok(again.includes(url), again)
      }
    }
  }
})

await t.test('Blocks read from our markdown survive another round trip', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    const first = markdownToBlocks(blocksToMarkdown(blocks, table, new Dropped()), table, new Dropped())
    const markdown = blocksToMarkdown(first, table, new Dropped())
    deepEqual(withoutIds(markdownToBlocks(markdown, table, new Dropped())), withoutIds(first), markdown)
  }), { numRuns: tries(150), seed })
})
