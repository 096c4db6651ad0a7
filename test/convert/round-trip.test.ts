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

/** Of the random documents; ROUND_TRIP_SEED tries others. */
const seed = Number(process.env['ROUND_TRIP_SEED'] ?? 7)

await t.test('blocks → Yjs → blocks is the same, ids included', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    deepEqual(updateToBlocks(blocksToUpdate(blocks, table), table, new Dropped()), blocks)
  }), { numRuns: 300, seed })
})

await t.test('markdown → Yjs block by block is what markdown → blocks → Yjs is', async () => {
  fc.assert(fc.property(anyBlocks(), anyText, (input, text) => {
    const markdown = blocksToMarkdown(validateBlocks(input, table, new Dropped()), table, new Dropped()) + '\n' + text
    const [whole, streamed] = [new Dropped(), new Dropped()]
    const blocks = markdownToBlocks(markdown, table, whole)
    deepEqual(withoutIds(updateToBlocks(markdownToUpdate(markdown, table, streamed), table, new Dropped())), withoutIds(blocks), markdown)
    deepEqual(streamed.list(), whole.list())
  }), { numRuns: 300, seed })
})

await t.test('an update of megabytes is whole', async () => {
  const markdown = 'é word — 😀 *text*\n\n'.repeat(20_000) + '```\n' + 'x'.repeat(3_000_000) + '\n```\n'
  const blocks = markdownToBlocks(markdown, table, new Dropped())
  const update = blocksToUpdate(blocks, table)
  deepEqual(updateToBlocks(update, table, new Dropped()), blocks)
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  deepEqual(updateToBlocks(Y.encodeStateAsUpdate(document), table, new Dropped()), blocks)
})

await t.test('blocks → JSON → blocks is the same', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    deepEqual(validateBlocks(JSON.parse(JSON.stringify(blocks)), table, new Dropped()), blocks)
  }), { numRuns: 300, seed })
})

await t.test('blocks → HTML → blocks is the same', async () => {
  fc.assert(fc.property(anyBlocks(table, (spec) => !('transient' in spec)), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    const html = blocksToHtml(blocks, table, new Dropped(), 'https://docs.example.org')
    deepEqual(withoutIds(htmlToBlocks(html, table, new Dropped())), withoutIds(blocks), html)
  }), { numRuns: 300, seed })
})

await t.test('blocks → markdown → blocks is the same for what markdown can say', async () => {
  fc.assert(fc.property(sayableBlocks(), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    const markdown = blocksToMarkdown(blocks, table, new Dropped())
    deepEqual(withoutIds(markdownToBlocks(markdown, table, new Dropped())), withoutIds(blocks), markdown)
  }), { numRuns: 500, seed })
})

await t.test('blanks at the edges of names, captions and links lose no address and no second time anything else', async () => {
  const read = (markdown: string) => withoutIds(markdownToBlocks(markdown, table, new Dropped()))
  const write = (input: unknown) => blocksToMarkdown(validateBlocks(input, table, new Dropped()), table, new Dropped())
  for (const blanks of [' ', '  a ', '\n', ' \n ', 'a\n b', 'a \n\n b', '\ta']) {
    const url = 'https://a.b/c'
    const media = ['pdf', 'file', 'image', 'audio'].flatMap((type) => ['name', 'caption'].map((prop) => ({ type, props: { url, [prop]: blanks, ...type === 'audio' && { showPreview: false } } })))
    const links = blanks.trim() === '' && blanks.includes('\n') ? [] : [{ content: ['q\n', { type: 'link', href: url, content: blanks }] }]
    for (const block of [...media, ...links]) {
      for (const input of [[block], [{ type: 'quote', content: 'q', children: [block] }], [{ type: 'bulletListItem', content: 'q', children: [block] }]]) {
        const markdown = write(input)
        const again = write(read(markdown))
        deepEqual(read(again), read(markdown), markdown)
        ok(again.includes(url), again)
      }
    }
  }
})

await t.test('markdown → blocks → markdown → blocks is stable', async () => {
  fc.assert(fc.property(anyBlocks(), (input) => {
    const first = markdownToBlocks(blocksToMarkdown(validateBlocks(input, table, new Dropped()), table, new Dropped()), table, new Dropped())
    const markdown = blocksToMarkdown(first, table, new Dropped())
    deepEqual(withoutIds(markdownToBlocks(markdown, table, new Dropped())), withoutIds(first), markdown)
  }), { numRuns: 300, seed })
})
