import t, { type Test } from 'tap'
import { type FailureReason, InvalidContent } from '../../src/convert/conversion-failure.ts'
import { type ConverterOptions, openConverter } from '../../src/convert/converter.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (body: Uint8Array) => new TextDecoder().decode(body)

/** A converter, and the calls of its hooks. */
async function open (t: Test, options: Partial<ConverterOptions> = {}) {
  const calls: string[] = []
  const converter = await openConverter({
    threads: 1,
    maxQueue: 5,
    deadlineMs: 20_000,
    memoryMb: 256,
    onConverted: ({ from, to }, seconds) => calls.push(`${from} ${to} ${typeof seconds}`),
    onFailed: ({ from, to }, reason) => calls.push(`${from} ${to} ${reason}`),
    ...options,
  })
  t.teardown(() => converter.close())
  return { converter, calls }
}

await t.test('Small inputs are converted at once, others in a thread, with the same result', async (t) => {
  const { converter, calls } = await open(t)
  const long = '# Title\n\n' + 'word '.repeat(2000)
  t.match(text((await converter.convert({ input: bytes('# T'), from: 'markdown', to: 'html' })).body), '<h1>T</h1>')
  t.equal(converter.stats().completed, 0)
  const { body, dropped } = await converter.convert({ input: bytes(long), from: 'markdown', to: 'markdown' })
  t.equal(text(body), long.trim() + '\n')
  t.same(dropped, [])
  t.equal(converter.stats().completed, 1)
  t.same(calls, ['markdown html number', 'markdown markdown number'])
})

await t.test('The list of what was dropped crosses the thread', async (t) => {
  const { converter } = await open(t, { inlineMaxBytes: 0 })
  t.same((await converter.convert({ input: bytes('<p>a<sub>2</sub></p>'), from: 'html', to: 'text' })).dropped, [{ what: 'element sub', kind: 'format', count: 1 }])
})

await t.test('Invalid content is the same error in a thread and outside', async (t) => {
  for (const inlineMaxBytes of [0, 4096]) {
    const { converter, calls } = await open(t, { inlineMaxBytes })
    await t.rejects(converter.convert({ input: bytes('{'), from: 'json', to: 'html' }), { constructor: InvalidContent, reason: 'invalid', message: 'The content is not JSON' })
    t.same(calls, ['json html invalid'])
  }
})

await t.test('A failure says whether the queue is full, the deadline is missed, the memory is too small or the caller aborted', async (t) => {
  const { converter, calls } = await open(t, { inlineMaxBytes: 0, maxQueue: 0, deadlineMs: 1 })
  const slow = { input: bytes('a *b* '.repeat(200_000)), from: 'markdown', to: 'yjs' } as const
  const first = converter.convert(slow)
  const failsWith = (conversion: Promise<unknown>, reason: FailureReason) => t.rejects(conversion, { name: 'ConversionFailure', reason })
  await failsWith(converter.convert(slow), 'busy')
  await failsWith(first, 'deadline')
  await failsWith(converter.convert(slow, AbortSignal.abort()), 'cancelled')
  const small = await open(t, { inlineMaxBytes: 0, memoryMb: 16, deadlineMs: 0 })
  await failsWith(small.converter.convert(slow), 'memory')
  const closed = await open(t, { inlineMaxBytes: 0 })
  await closed.converter.close()
  await failsWith(closed.converter.convert(slow), 'error')
  t.same(calls, ['markdown yjs busy', 'markdown yjs deadline', 'markdown yjs cancelled'])
  t.same([...small.calls, ...closed.calls], ['markdown yjs memory', 'markdown yjs error'])
})

await t.test('The bytes held for threads are bounded, but a single input can be larger', async (t) => {
  const { converter, calls } = await open(t, { inlineMaxBytes: 0, maxHeldBytes: 1000 })
  const input = (length: number) => ({ input: bytes('a'.repeat(length)), from: 'markdown', to: 'text' }) as const
  const first = converter.convert(input(600))
  await t.rejects(converter.convert(input(600)), { name: 'ConversionFailure', reason: 'busy' })
  const second = converter.convert(input(400))
  await Promise.all([first, second])
  await converter.convert(input(5000))
  t.same(calls, ['markdown text busy', ...Array(3).fill('markdown text number')])
})

await t.test('Conversions that wait are done in the order of their arrival', async (t) => {
  const { converter } = await open(t, { maxQueue: 200 })
  const input = bytes('# Title\n\nSome **text**.\n\n'.repeat(200))
  const order: number[] = []
  await Promise.all(Array.from({ length: 100 }, async (_, index) => {
    await converter.convert({ input, from: 'markdown', to: 'yjs' })
    order.push(index)
  }))
  t.strictSame(order, Array.from({ length: 100 }, (_, index) => index))
})
