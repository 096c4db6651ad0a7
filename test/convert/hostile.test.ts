import t from 'tap'
import { openConverter } from '../../src/convert/converter.ts'
import { InvalidContent } from '../../src/convert/conversion-failure.ts'
import { hostileInputs } from './hostile-inputs.ts'

// A quadratic reader of 200 KB takes minutes, a linear one a fraction of a second: the deadline tells them apart on any machine.
const length = 200_000
const deadlineMs = 20_000

const converter = await openConverter({ threads: 2, maxQueue: 1000, deadlineMs: 0, memoryMb: 512, inlineMaxBytes: 0 })
t.teardown(() => converter.close())

for (const [name, { from, make }] of Object.entries(hostileInputs)) {
  await t.test(`${from}: ${name}`, async (t) => {
    const input = new TextEncoder().encode(make(length))
    for (const to of ['yjs', 'markdown', 'html', 'text'] as const) {
      try {
        const { body } = await converter.convert({ input, from, to, math: true }, AbortSignal.timeout(deadlineMs))
        t.ok(body.byteLength < 200 * input.byteLength + 1000, `${to}: ${body.byteLength} bytes`)
      } catch (error) {
        // Refused at once is as good as converted, but markdown is never refused.
        t.ok(error instanceof InvalidContent && from !== 'markdown', `${to}: ${String(error)}`)
      }
    }
  })
}
