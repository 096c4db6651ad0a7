import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blocksToHtml } from '../../src/convert/html/blocks-to-html.ts'
import { blocksToMarkdown } from '../../src/convert/markdown/blocks-to-markdown.ts'
import { blocksToUpdate } from '../../src/convert/yjs/blocks-to-update.ts'
import { InvalidBlocksModule, loadBlockTable } from '../../src/convert/blocks/blocks-module.ts'
import { openConverter } from '../../src/convert/converter.ts'
import { Dropped } from '../../src/convert/dropped.ts'
import { htmlToBlocks } from '../../src/convert/html/html-to-blocks.ts'
import { markdownToBlocks } from '../../src/convert/markdown/markdown-to-blocks.ts'
import { standardTable } from '../../src/convert/blocks/standard-table.ts'
import { updateToBlocks } from '../../src/convert/yjs/update-to-blocks.ts'
import { validateBlocks } from '../../src/convert/blocks/validate-blocks.ts'
import { siblingModule } from '../../src/workers/sibling-module.ts'
import { anyBlocks } from './arbitrary-blocks.ts'
import { withoutIds } from './without-ids.ts'

const url = siblingModule(import.meta.url, 'my-blocks').href

await t.test('Without a module the table is the standard one', async (t) => {
  t.equal(await loadBlockTable(undefined), standardTable)
})

await t.test('A project\'s blocks survive a round trip through Yjs', async () => {
  const table = await loadBlockTable(url)
  fc.assert(fc.property(anyBlocks(table), (input) => {
    const blocks = validateBlocks(input, table, new Dropped())
    deepEqual(updateToBlocks(blocksToUpdate(blocks, table), table, new Dropped()), blocks)
  }), { numRuns: 50 })
})

await t.test('A project\'s blocks are read from and written to markdown and HTML', async (t) => {
  const table = await loadBlockTable(url)
  const blocks = validateBlocks([
    { type: 'diagram', props: { source: 'a --> b' } },
    { content: [{ type: 'mention', props: { user: 'ada' } }, { type: 'text', text: ' hi', styles: { highlight: true } }] },
  ], table, new Dropped())
  const html = blocksToHtml(blocks, table, new Dropped())
  t.equal(html, '<pre class="mermaid" data-source="a --&gt; b">a --&gt; b</pre><p><span class="mention" data-user="ada">@ada</span><mark class="highlight"> hi</mark></p>')
  t.same(withoutIds(htmlToBlocks(html, table, new Dropped())), withoutIds(blocks))
  const dropped = new Dropped()
  const markdown = blocksToMarkdown(blocks, table, dropped)
  t.equal(markdown, '```mermaid\na --> b\n```\n\n@ada hi\n')
  t.same(dropped.list(), [{ what: 'mark highlight', kind: 'format', count: 1 }])
  t.match(markdownToBlocks(markdown, table, new Dropped()), [{ type: 'diagram', props: { source: 'a --> b' } }, { content: [{ text: '@ada hi' }] }])
})

await t.test('The worker threads know a project\'s blocks', async (t) => {
  const converter = await openConverter({
    threads: 1,
    maxQueue: 1,
    deadlineMs: 0,
    memoryMb: 256,
    inlineMaxBytes: 0,
    blocksModule: url,
  })
  t.teardown(() => converter.close())
  const { body } = await converter.convert({ input: new TextEncoder().encode('[{"type":"diagram","props":{"source":"x"}}]'), from: 'json', to: 'text' })
  t.equal(new TextDecoder().decode(body), 'x\n')
})

await t.test('A module that cannot be used is rejected with one clear line', async (t) => {
  const block = { type: 'a', content: 'none', props: {}, toHtml: '@' }
  const modules: Array<[unknown, RegExp]> = [
    [null, /no default export that is an object/],
    [[], /no default export that is an object/],
    [{ block: [] }, /exports "block", which is none of blocks, inline and marks/],
    [{ blocks: {} }, /"blocks" is not a list/],
    [{ blocks: [null] }, /blocks\[0\] is not an object/],
    [{ blocks: [{}] }, /blocks\[0\] has no "type"/],
    [{ blocks: [{ ...block, type: 'a b' }] }, /has no "type" that is a name/],
    [{ blocks: [{ ...block, type: 'blockGroup' }] }, /\(blockGroup\) has a type that BlockNote keeps for itself/],
    [{ blocks: [{ type: 'a', content: 'none', props: {} }] }, /\(a\) has no function "toHtml"/],
    [{ blocks: [block, { ...block, content: 'table' }] }, /blocks\[1\] \(a\) has a "content" that is none of inline, none/],
    [{ inline: [{ ...block, content: 'inline' }] }, /none of none, styled, plain/],
    [{ blocks: [{ ...block, props: undefined }] }, /has no object "props"/],
    [{ blocks: [{ ...block, props: { x: {} } }] }, /has a prop "x" with neither a default nor a type/],
    [{ blocks: [{ ...block, props: { 'x onload': { default: '' } } }] }, /has a prop whose name is not of letters and digits/],
    [{ blocks: [{ ...block, fromHtml: { tags: ['P'], read: '@' } }] }, /"fromHtml" without "tags" in lower case/],
    [{ blocks: [{ ...block, toMarkdown: 1 }] }, /has a "toMarkdown" that is no function/],
    [{ marks: [{ ...block, value: 'number' }] }, /neither "boolean" nor "string"/],
  ]
  for (const [exported, message] of modules) {
    const source = `export default ${JSON.stringify(exported)?.replaceAll('"@"', '() => ""')}`
    const error = await loadBlockTable(`data:text/javascript,${encodeURIComponent(source)}`).catch((error: unknown) => error)
    t.ok(error instanceof InvalidBlocksModule, String(message))
    t.match(String(error), message)
    t.notMatch(String(error), /\n/)
  }
  await t.rejects(loadBlockTable('file:///no/such/module.js'), { name: 'InvalidBlocksModule', message: /could not be loaded/ })
  await t.rejects(loadBlockTable('data:text/javascript,}'), InvalidBlocksModule)
})
