import t, { type Test } from 'tap'
import { type ConverterOptions, openConverter } from '../../src/convert/converter.ts'
import { InvalidContent } from '../../src/convert/invalid-content.ts'
import { PoolBusy, PoolDeadline } from '../../src/workers/pool-errors.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (body: Uint8Array) => new TextDecoder().decode(body)

/** A converter and what its hooks were told. */
async function open (t: Test, options: Partial<ConverterOptions> = {}) {
  const told: string[] = []
  const converter = await openConverter({
    threads: 1,
    maxQueue: 5,
    deadlineMs: 20_000,
    memoryMb: 256,
    onConverted: ({ from, to }, seconds) => told.push(`${from} ${to} ${typeof seconds}`),
    onFailed: ({ from, to }, reason) => told.push(`${from} ${to} ${reason}`),
    ...options,
  })
  t.teardown(() => converter.close())
  return { converter, told }
}

await t.test('small inputs are converted at once, others in a thread, with the same result', async (t) => {
  const { converter, told } = await open(t)
  const long = '# Title\n\n' + 'word '.repeat(2000)
  t.match(text((await converter.convert({ input: bytes('# T'), from: 'markdown', to: 'html' })).body), '<h1>T</h1>')
  t.equal(converter.stats().completed, 0)
  const { body, dropped } = await converter.convert({ input: bytes(long), from: 'markdown', to: 'markdown' })
  t.equal(text(body), long.trim() + '\n')
  t.same(dropped, [])
  t.equal(converter.stats().completed, 1)
  t.same(told, ['markdown html number', 'markdown markdown number'])
})

await t.test('what was dropped comes across the thread', async (t) => {
  const { converter } = await open(t, { inlineMaxBytes: 0 })
  t.same((await converter.convert({ input: bytes('<p>a<sub>2</sub></p>'), from: 'html', to: 'text' })).dropped, [{ what: 'element sub', kind: 'format', count: 1 }])
})

await t.test('invalid content is the same error from both places', async (t) => {
  for (const inlineMaxBytes of [0, 4096]) {
    const { converter, told } = await open(t, { inlineMaxBytes })
    await t.rejects(converter.convert({ input: bytes('{'), from: 'json', to: 'html' }), { constructor: InvalidContent, code: 'INVALID_CONTENT', message: 'The content is not JSON' })
    t.same(told, ['json html invalid'])
  }
})

await t.test('a full queue, a deadline and a hang-up are told apart', async (t) => {
  const { converter, told } = await open(t, { inlineMaxBytes: 0, maxQueue: 0, deadlineMs: 1 })
  const slow = { input: bytes('a *b* '.repeat(200_000)), from: 'markdown', to: 'yjs' } as const
  const first = converter.convert(slow)
  await t.rejects(converter.convert(slow), PoolBusy)
  await t.rejects(first, PoolDeadline)
  await t.rejects(converter.convert(slow, AbortSignal.abort()), { name: 'AbortError' })
  t.same(told, ['markdown yjs busy', 'markdown yjs deadline', 'markdown yjs cancelled'])
})

await t.test('what is held for threads is bounded in bytes, but one alone may be larger', async (t) => {
  const { converter, told } = await open(t, { inlineMaxBytes: 0, maxHeldBytes: 1000 })
  const input = (length: number) => ({ input: bytes('a'.repeat(length)), from: 'markdown', to: 'text' }) as const
  const first = converter.convert(input(600))
  await t.rejects(converter.convert(input(600)), PoolBusy)
  const second = converter.convert(input(400))
  await Promise.all([first, second])
  await converter.convert(input(5000))
  t.same(told, ['markdown text busy', ...Array(3).fill('markdown text number')])
})

await t.test('many at once are all converted, in the order in which they came', async (t) => {
  const { converter } = await open(t, { maxQueue: 200 })
  const input = bytes('# Title\n\nSome **text**.\n\n'.repeat(200))
  const order: number[] = []
  await Promise.all(Array.from({ length: 100 }, async (_, index) => {
    await converter.convert({ input, from: 'markdown', to: 'yjs' })
    order.push(index)
  }))
  t.strictSame(order, Array.from({ length: 100 }, (_, index) => index))
})
