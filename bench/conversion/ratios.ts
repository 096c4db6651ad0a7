import { ServerBlockNoteEditor } from '@blocknote/server-util'
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
import { edited, fragment, sampleMarkdown } from './sample.ts'

/** One direction at one size: medians in milliseconds, ours and BlockNote's, and the required ratio. */
export interface Ratio { direction: string, kilobytes: number, oursMs: number, blockNoteMs: number, goal?: number }

interface Pair { direction: string, goal?: number, ours: () => unknown, blockNote: () => unknown }

const editor = ServerBlockNoteEditor.create()

/** Measures every direction at 1, 10 and 100 KB of markdown, next to BlockNote in this process. */
export async function * measureRatios (budgetMs: number): AsyncGenerator<Ratio> {
  for (const kilobytes of [1, 10, 100]) {
    for (const { direction, goal, ours, blockNote } of pairs(sampleMarkdown(kilobytes * 1024))) {
      yield {
        direction,
        kilobytes,
        oursMs: await median(ours, budgetMs),
        blockNoteMs: await median(blockNote, budgetMs),
        ...goal !== undefined && { goal },
      }
    }
  }
}

function pairs (markdown: string): Pair[] {
  const blocks = markdownToBlocks(markdown, table, new Dropped())
  const json = JSON.stringify(blocks)
  const update = blocksToUpdate(blocks, table)
  const history = edited(update)
  const html = blocksToHtml(blocks, table, new Dropped())
  // The editor's types include only its own blocks.
  const theirs = (value: unknown) => value as Parameters<typeof editor.blocksToYDoc>[0]
  const read = (bytes: Uint8Array) => {
    const document = new Y.Doc()
    Y.applyUpdate(document, bytes)
    return editor.yDocToBlocks(document, fragment)
  }
  const write = (value: unknown) => Y.encodeStateAsUpdate(editor.blocksToYDoc(theirs(value), fragment))
  const ourBlocks = (bytes: Uint8Array) => updateToBlocks(bytes, table, new Dropped())
  const directions: Array<[string, number | undefined, () => unknown, () => unknown]> = [
    ['markdown → Yjs', 25, () => markdownToUpdate(markdown, table, new Dropped()), async () => write(await editor.tryParseMarkdownToBlocks(markdown))],
    ['Yjs → markdown', 10, () => blocksToMarkdown(ourBlocks(update), table, new Dropped()), () => editor.blocksToMarkdownLossy(theirs(read(update)))],
    ['Yjs → HTML', 6, () => blocksToHtml(ourBlocks(update), table, new Dropped()), () => editor.blocksToHTMLLossy(theirs(read(update)))],
    ['JSON → Yjs', 3, () => blocksToUpdate(validateBlocks(JSON.parse(json), table, new Dropped()), table), () => write(JSON.parse(json))],
    ['Yjs → JSON', 1, () => JSON.stringify(ourBlocks(update)), () => JSON.stringify(read(update))],
    ['edited Yjs → JSON', 1, () => JSON.stringify(ourBlocks(history)), () => JSON.stringify(read(history))],
    ['edited Yjs → markdown', undefined, () => blocksToMarkdown(ourBlocks(history), table, new Dropped()), () => editor.blocksToMarkdownLossy(theirs(read(history)))],
    ['HTML → Yjs', undefined, () => blocksToUpdate(htmlToBlocks(html, table, new Dropped()), table), async () => write(await editor.tryParseHTMLToBlocks(html))],
  ]
  return directions.map(([direction, goal, ours, blockNote]) =>
    ({ direction, ours, blockNote, ...goal !== undefined && { goal } }))
}

/** The median time of as many runs as fit into the budget, at least 3, after a warm-up of a quarter of it. */
async function median (run: () => unknown, budgetMs: number): Promise<number> {
  const warmUntil = performance.now() + budgetMs / 4
  do await run(); while (performance.now() < warmUntil)
  const times: number[] = []
  const until = performance.now() + budgetMs
  while (times.length < 3 || performance.now() < until) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1] ?? NaN
}
