/**
 * Documents over HTTP: how many reads a service answers and how much they delay other users, and what it costs to
 * replace a document. `npm run bench:documents -- [--quick] [--only yjs,markdown,replace]`
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { HonestPair } from './attacks/honest-pair.ts'
import { measureReads, read, type ReadFigures, type ReadPlan } from './documents-api/reads.ts'
import { measureReplacements, type Replacement } from './documents-api/replacements.ts'
import { Documents } from './documents-api/stored.ts'
import { DecodeCache } from './load/decode-cache.ts'
import { describeCommit, describeMachine } from './origin.ts'
import { describeServer, type RunningServer, startServer, withFolder } from './servers.ts'

const documentBytes = 100_000
/** Documents of each kind, read in turn. */
const documentCount = 20
/** Updates in a log that the service does not compact. */
const logEntries = 40
const readsPerSecond = 1000

const parts = ['yjs', 'markdown', 'replace']
const { values: { quick, only } } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
})
const wanted = only?.split(',') ?? parts
const unknown = wanted.find((name) => !parts.includes(name))
if (unknown !== undefined) {
  console.error(`Unknown part ${unknown}. The parts are ${parts.join(', ')}.`)
  process.exit(2)
}
const readMs = quick ? 2000 : 10_000
const warmUpMs = quick ? 1000 : 4000
const sizes = quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000]
const replacements = quick ? 1 : 5

const ours = resolve(import.meta.dirname, '..')
const kind = describeServer('ours', ours)
if (typeof kind === 'string') throw new Error(kind)
console.log(`# Documents over HTTP, measured ${new Date().toISOString()} at ${describeCommit(ours)}\n
${describeMachine()}; Node ${process.version}.${quick ? ' Quick mode: too short to quote.' : ''}`)
await withFolder(async (folder) => {
  const server = await startServer(kind, folder)
  try {
    const documents = new Documents(server)
    if (wanted.includes('yjs') || wanted.includes('markdown')) await printReads(server, documents)
    if (wanted.includes('replace')) await printReplacements(server, documents)
  } finally {
    await server.stop()
  }
})
process.exit(0)

async function printReads (server: RunningServer, documents: Documents): Promise<void> {
  const snapshots = Array.from({ length: documentCount }, (_, i) => `snapshot-${i}`)
  const logs = Array.from({ length: documentCount }, (_, i) => `log-${i}`)
  const doc = await documents.makeEdited([...snapshots, ...logs], documentBytes)
  await server.rest() // until all are compacted
  await documents.type(logs, doc, logEntries)
  const { port, wire } = server
  const pair = await HonestPair.join({ port, wire, decode: new DecodeCache(wire) }, 'honest')
  for (const format of ['yjs', 'markdown'] as const) {
    if (!wanted.includes(format)) continue
    const offer = format === 'yjs' ? { perSecond: readsPerSecond } : {}
    const how = format === 'yjs' ? `Yjs, ${readsPerSecond} a second offered` : 'markdown, eight at a time'
    console.log(`\n## Reads as ${how}\n
| document | KB of an answer | reads/s | p50 ms | p99 ms | refused | CPU ms a read | pair's p99 ms without | with | ratio |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |`)
    for (const [title, rooms] of [['snapshot', snapshots], [`snapshot, log of ${logEntries}`, logs]] as const) {
      const plan: ReadPlan = { rooms, format, ...offer, ms: readMs }
      await read(server, { ...plan, ms: warmUpMs })
      console.log(formatReads(title, await measureReads(server, pair, plan)))
    }
  }
  pair.leave()
}

async function printReplacements (server: RunningServer, documents: Documents): Promise<void> {
  console.log(`\n## Replacing markdown, ten blocks changed\n
| KB of markdown | KB of the document | ms | ms per MB | CPU ms | CPU ms per MB | bytes of the update |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: |`)
  for (const bytes of sizes) {
    console.log(formatReplacement(await measureReplacements(server, documents, bytes, replacements)))
  }
}

function formatReads (title: string, figures: ReadFigures): string {
  const { perSecond, bytes, refused, p50, p99, cpu, calm, disturbed } = figures
  const times = [p50, p99].map((ms) => ms.toFixed(1)).join(' | ')
  const honest = `${calm.toFixed(1)} | ${disturbed.toFixed(1)} | ×${(disturbed / calm).toFixed(1)}`
  const kilobytes = (bytes / 1000).toFixed(0)
  return `| ${title} | ${kilobytes} | ${perSecond.toFixed(0)} | ${times} | ${refused} | ${cpu.toFixed(2)} | ${honest} |`
}

function formatReplacement ({ markdownBytes, documentBytes, ms, cpu, updateBytes }: Replacement): string {
  const perMegabyte = (cost: number): string => (cost / markdownBytes * 1e6).toFixed(0)
  const kilobytes = [markdownBytes, documentBytes].map((bytes) => (bytes / 1000).toFixed(0)).join(' | ')
  return `| ${kilobytes} | ${ms.toFixed(0)} | ${perMegabyte(ms)} | ${cpu.toFixed(0)} | ${perMegabyte(cpu)} | ${updateBytes} |`
}
