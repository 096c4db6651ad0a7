import { medianOf } from '../conversion/figures.ts'
import { sampleMarkdown } from '../conversion/sample.ts'
import type { RunningServer } from '../servers.ts'
import { type Documents, mediaTypes, pathOf } from './stored.ts'

const heading = '## A section'
const changedBlocks = 10

/** The cost of replacing a document; medians of several replacements. */
export interface Replacement {
  /** bytes of the markdown */
  readonly markdownBytes: number
  /** bytes of the document, as it is stored before */
  readonly documentBytes: number
  readonly ms: number
  /** processor time of the service, in ms */
  readonly cpu: number
  /** bytes of the update that the service has stored */
  readonly updateBytes: number
}

/** Replaces a document several times, each time with ten changed headings spread over it. */
export async function measureReplacements (
  server: RunningServer,
  documents: Documents,
  bytes: number,
  times: number
): Promise<Replacement> {
  const path = pathOf(`replaced-${bytes}`)
  const room = `replaced-${bytes}`
  const markdownBytes = Buffer.byteLength(revise(bytes, 0))
  await documents.send('POST', path, mediaTypes.markdown, revise(bytes, 0))
  await server.rest()
  const { bytes: documentBytes } = await documents.listed(room)
  // The first ones find threads that have not compiled their code.
  const warmUps = Math.min(20, Math.ceil(2_000_000 / bytes))
  for (let revision = 1; revision <= warmUps; revision++) {
    await documents.send('PUT', path, mediaTypes.markdown, revise(bytes, revision))
  }
  const each: Array<Pick<Replacement, 'ms' | 'cpu' | 'updateBytes'>> = []
  for (let revision = warmUps + 1; revision <= warmUps + times; revision++) {
    const body = revise(bytes, revision)
    const before = await documents.listed(room)
    const cpuBefore = server.cpuSeconds
    const start = performance.now()
    await documents.send('PUT', path, mediaTypes.markdown, body)
    const ms = performance.now() - start
    const cpu = (server.cpuSeconds - cpuBefore) * 1000
    const after = await documents.listed(room)
    if (after.sequence !== before.sequence + 1) throw new Error('The replacement was not stored as one update')
    each.push({ ms, cpu, updateBytes: after.bytes - before.bytes })
  }
  const median = (of: keyof typeof each[number]): number => medianOf(each.map((figures) => figures[of]))
  return { markdownBytes, documentBytes, ms: median('ms'), cpu: median('cpu'), updateBytes: median('updateBytes') }
}

/** Markdown of about so many bytes, of which ten headings differ from revision to revision. */
function revise (bytes: number, revision: number): string {
  const [, ...sections] = sampleMarkdown(bytes).split(heading)
  const step = Math.max(1, Math.floor(sections.length / changedBlocks))
  return sections.map((section, i) => {
    const isChanged = i % step === 0 && i / step < changedBlocks
    return `${heading} ${i}${isChanged ? `, revision ${revision}` : ''}${section}`
  }).join('')
}
