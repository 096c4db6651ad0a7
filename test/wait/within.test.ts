import t from 'tap'
import { within } from '../../src/wait/within.ts'

const never = new Promise<string>(() => {})
const tooLate = (): never => { throw new Error('too late') }
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

await t.test('A promise that settles in time decides, and leaves no timer', async (t) => {
  const before = timers()
  t.equal(await within(Promise.resolve('done'), 1e6, tooLate), 'done')
  await t.rejects(within(Promise.reject(new Error('failed')), 1e6, tooLate), { message: 'failed' })
  t.equal(timers(), before)
})

await t.test('After the time, the last argument decides', async (t) => {
  t.equal(await within(never, 1, () => 'late'), 'late')
  await t.rejects(within(never, 1, tooLate), { message: 'too late' })
})

await t.test('A promise that rejects too late is ignored', async (t) => {
  let fail = (_error: Error): void => {}
  const slow = new Promise<string>((_resolve, reject) => { fail = reject })
  t.equal(await within(slow, 1, () => 'late'), 'late')
  // Unhandled, it would end the process.
  fail(new Error('failed'))
})
