import t from 'tap'
import { InvalidContent } from '../../src/convert/conversion-failure.ts'
import { openConverter } from '../../src/convert/converter.ts'
import type { InputFormat, OutputFormat } from '../../src/convert/formats.ts'
import { hostileInputs } from './hostile-inputs.ts'

/**
 * Characters of each input: enough for readers that take exponential or cubic time. `HOSTILE_LENGTH=200000` also tells
 * a quadratic reader, which takes minutes, from a linear one.
 */
const length = Number(process.env['HOSTILE_LENGTH'] ?? 20_000)
/** Bytes; a table of as many cells as a document can have, as Yjs. */
const largestTableBytes = 15_000_000
/** ms for one conversion: far above what the slowest linear one takes, on a very busy machine too. */
const deadlineMs = 30_000

const converter = await openConverter({ threads: 2, maxQueue: 1000, deadlineMs: 0, memoryMb: 512, inlineMaxBytes: 0 })
t.teardown(() => converter.close())
// The start of the threads must not count.
const nothing = { input: new TextEncoder().encode(' '), from: 'markdown', to: 'text' } as const
await Promise.all([converter.convert(nothing), converter.convert(nothing)])

for (const [name, { from, make }] of Object.entries(hostileInputs)) {
  await t.test(`${from}: ${name}`, async (t) => {
    const source = new TextEncoder().encode(make(length))

    /** @returns undefined if the input is rejected, which markdown never is */
    async function convert (input: Uint8Array, from: InputFormat, to: OutputFormat): Promise<Uint8Array | undefined> {
      try {
        const { body } = await converter.convert({ input, from, to, math: true }, AbortSignal.timeout(deadlineMs))
        const isSmall = to === 'json' || body.byteLength < Math.max(300 * source.byteLength, largestTableBytes)
        t.ok(isSmall, `${to}: ${body.byteLength} bytes`)
        return body
      } catch (error) {
        t.ok(error instanceof InvalidContent && from !== 'markdown', `${to}: ${String(error)}`)
        return undefined
      }
    }

    // The input is read twice, and its blocks are written in every format.
    const [, blocks] = await Promise.all([convert(source, from, 'yjs'), convert(source, from, 'json')])
    if (blocks === undefined) return
    await Promise.all((['markdown', 'html', 'text'] as const).map((to) => convert(blocks, 'json', to)))
  })
}
