/**
 * Measures the time from the start of a process, or of a thread of the service, to its first conversion. Plain
 * JavaScript, and started by `ready.ts` in a process of its own, because the second time everything is loaded:
 * node bench/conversion/start.js process|thread|blocknote DIST
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [what, dist = ''] = process.argv.slice(2)
const load = async (name) => await import(pathToFileURL(join(dist, name)).href)
const input = new TextEncoder().encode('# Hello')
let begun = performance.now()

if (what === 'process') {
  const { convert } = await load('convert/convert.js')
  const { standardTable } = await load('convert/standard-table.js')
  convert({ input, from: 'markdown', to: 'yjs' }, standardTable)
} else if (what === 'thread') {
  const { openConverter } = await load('convert/converter.js')
  begun = performance.now()
  const converter = await openConverter({ threads: 1, maxQueue: 1, deadlineMs: 0, memoryMb: 512, inlineMaxBytes: 0 })
  await converter.convert({ input, from: 'markdown', to: 'yjs' })
} else {
  const { ServerBlockNoteEditor } = await import('@blocknote/server-util')
  const editor = ServerBlockNoteEditor.create()
  editor.blocksToYDoc(await editor.tryParseMarkdownToBlocks('# Hello'), 'document-store')
}
console.log(JSON.stringify({ ms: performance.now() - begun, megabytes: process.memoryUsage.rss() / 2 ** 20 }))
process.exit(0)
