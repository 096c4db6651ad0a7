/**
 * Conversion beside @blocknote/server-util, in one process: `npx tsx bench/convert.ts`.
 * Medians of warm runs in milliseconds, and how many times faster ours is; then the time until the first result.
 */
import { spawnSync } from 'node:child_process'
import { ServerBlockNoteEditor } from '@blocknote/server-util'
import * as Y from 'yjs'
import { blocksToHtml } from '../src/convert/blocks-to-html.ts'
import { blocksToMarkdown } from '../src/convert/blocks-to-markdown.ts'
import { blocksToUpdate } from '../src/convert/blocks-to-update.ts'
import { Dropped } from '../src/convert/dropped.ts'
import { htmlToBlocks } from '../src/convert/html-to-blocks.ts'
import { markdownToBlocks } from '../src/convert/markdown-to-blocks.ts'
import { standardTable as table } from '../src/convert/standard-table.ts'
import { updateToBlocks } from '../src/convert/update-to-blocks.ts'
import { validateBlocks } from '../src/convert/validate-blocks.ts'

const fragment = 'document-store'

const section = `## A section of a *realistic* document

Some **bold** and _italic_ text with \`code\`, a [link](https://example.org/path?a=1) and plain words that go on for a line or so.
The second line of the paragraph follows.

- first item
- second item with **bold**
  - nested item
- [x] done

1. one
2. two

> A quote of one line.

\`\`\`js
const answer = 42
\`\`\`

| name | value |
| ---- | ----- |
| one  | 1     |
| two  | 2     |

![a picture](https://example.org/picture.png)

`

/** The middle one of the times of as many runs as fit into the budget, at least 5, after a quarter of it for warming up. */
async function median (run: () => unknown, budgetMs: number): Promise<number> {
  const warmUntil = performance.now() + budgetMs / 4
  do await run(); while (performance.now() < warmUntil)
  const times: number[] = []
  const until = performance.now() + budgetMs
  while (times.length < 5 || performance.now() < until) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return times[times.length >> 1] ?? 0
}

/** A document that people have worked on: several clients, insertions and deletions everywhere. */
function edited (update: Uint8Array): Uint8Array {
  const document = new Y.Doc()
  Y.applyUpdate(document, update)
  const texts: Y.XmlText[] = []
  const collect = (type: Y.XmlFragment) => {
    for (const child of type.toArray()) {
      if (child instanceof Y.XmlText) texts.push(child)
      else if (child instanceof Y.XmlElement) collect(child)
    }
  }
  collect(document.getXmlFragment(fragment))
  texts.forEach((text, index) => {
    if (index % 16 === 0) document.clientID = 1000 + index
    text.insert(0, 'new ')
    text.insert(2, 'x')
    text.delete(2, 1)
  })
  return Y.encodeStateAsUpdate(document)
}

const editor = ServerBlockNoteEditor.create()
const budget = Number(process.argv[2] ?? 1500)

console.log('direction                size      ours ms    BlockNote ms   ratio')
for (const kilobytes of [1, 10, 100]) {
  const markdown = section.repeat(Math.max(1, Math.round(kilobytes * 1024 / section.length)))
  const blocks = markdownToBlocks(markdown, table, new Dropped())
  const json = JSON.stringify(blocks)
  const update = blocksToUpdate(blocks, table)
  const history = edited(update)
  const html = blocksToHtml(blocks, table, new Dropped())
  // The editor's types know its own blocks only.
  const theirs = (value: unknown) => value as Parameters<typeof editor.blocksToYDoc>[0]
  const fromUpdate = (bytes: Uint8Array) => {
    const document = new Y.Doc()
    Y.applyUpdate(document, bytes)
    return editor.yDocToBlocks(document, fragment)
  }
  const pairs: Array<[string, () => unknown, () => unknown]> = [
    ['markdown → Yjs', () => blocksToUpdate(markdownToBlocks(markdown, table, new Dropped()), table), async () => Y.encodeStateAsUpdate(editor.blocksToYDoc(await editor.tryParseMarkdownToBlocks(markdown), fragment))],
    ['Yjs → markdown', () => blocksToMarkdown(updateToBlocks(update, table, new Dropped()), table, new Dropped()), () => editor.blocksToMarkdownLossy(theirs(fromUpdate(update)))],
    ['Yjs → HTML', () => blocksToHtml(updateToBlocks(update, table, new Dropped()), table, new Dropped()), () => editor.blocksToHTMLLossy(theirs(fromUpdate(update)))],
    ['JSON → Yjs', () => blocksToUpdate(validateBlocks(JSON.parse(json), table, new Dropped()), table), () => Y.encodeStateAsUpdate(editor.blocksToYDoc(theirs(JSON.parse(json)), fragment))],
    ['Yjs → JSON', () => JSON.stringify(updateToBlocks(update, table, new Dropped())), () => JSON.stringify(fromUpdate(update))],
    ['edited Yjs → JSON', () => JSON.stringify(updateToBlocks(history, table, new Dropped())), () => JSON.stringify(fromUpdate(history))],
    ['edited Yjs → markdown', () => blocksToMarkdown(updateToBlocks(history, table, new Dropped()), table, new Dropped()), () => editor.blocksToMarkdownLossy(theirs(fromUpdate(history)))],
    ['HTML → Yjs', () => blocksToUpdate(htmlToBlocks(html, table, new Dropped()), table), async () => Y.encodeStateAsUpdate(editor.blocksToYDoc(await editor.tryParseHTMLToBlocks(html), fragment))],
  ]
  for (const [name, ours, other] of pairs) {
    const mine = await median(ours, budget)
    const incumbent = await median(other, budget)
    console.log(`${name.padEnd(24)} ${`${kilobytes} KB`.padEnd(8)} ${mine.toFixed(3).padStart(8)} ${incumbent.toFixed(2).padStart(15)} ${`×${(incumbent / mine).toFixed(1)}`.padStart(8)}`)
  }
}

console.log('\nfrom the start of a process to its first result (ms, memory)')
const measure = (body: string) => {
  const start = performance.now()
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', `const base = process.uptime(); ${body}; console.log(Math.round((process.uptime() - base) * 1000) + ' ms to load and convert, ' + Math.round(process.memoryUsage.rss() / 2 ** 20) + ' MB')`], { cwd: new URL('..', import.meta.url).pathname, encoding: 'utf8' })
  return `${stdout.trim()} (${Math.round(performance.now() - start)} ms for the process)`
}
console.log('ours     ', measure('const { convert } = await import("./src/convert/convert.ts"); const { standardTable } = await import("./src/convert/standard-table.ts"); convert({ input: new TextEncoder().encode("# a"), from: "markdown", to: "yjs" }, standardTable)'))
console.log('BlockNote', measure('const { ServerBlockNoteEditor } = await import("@blocknote/server-util"); const e = ServerBlockNoteEditor.create(); e.blocksToYDoc(await e.tryParseMarkdownToBlocks("# a"), "document-store")'))
process.exit(0)
