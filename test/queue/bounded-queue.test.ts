import t from 'tap'
import { BoundedQueue, QueueOverload, type BoundedQueueOptions } from '../../src/queue/bounded-queue.ts'

/** A queue that runs one task at a time, with the first task started and not finished. */
function busyQueue (options: Partial<BoundedQueueOptions> = {}): { queue: BoundedQueue, finish: () => void } {
  const queue = new BoundedQueue({ maxRunning: 1, maxWaiting: 10, maxWaitMs: Infinity, now: () => 0, ...options })
  let finish = (): void => {}
  queue.run(() => new Promise<void>((resolve) => { finish = resolve })).catch(() => {})
  return { queue, finish: () => finish() }
}

await t.test('Keys take turns, and the tasks of one key run in order', async (t) => {
  const { queue, finish } = busyQueue()
  const ran: string[] = []
  const runs = ['a1', 'a2', 'a3', 'b1', 'c1'].map((name) => queue.run(async () => { ran.push(name) }, name[0]))
  finish()
  await Promise.all(runs)
  t.strictSame(ran, ['a1', 'b1', 'c1', 'a2', 'a3'])
})

await t.test('A full queue rejects, for all keys or for one', async (t) => {
  const { queue, finish } = busyQueue({ maxWaiting: 3, maxWaitingPerKey: 2 })
  const task = async (): Promise<string> => 'done'
  const waiting = [queue.run(task, 'a'), queue.run(task, 'a')]
  await t.rejects(queue.run(task, 'a'), new QueueOverload('full'))
  waiting.push(queue.run(task, 'b'))
  await t.rejects(queue.run(task, 'c'), new QueueOverload('full'))
  finish()
  t.strictSame(await Promise.all(waiting), ['done', 'done', 'done'])
})

await t.test('A task that waited too long is rejected when its turn comes, and the next one runs', async (t) => {
  let now = 0
  const { queue, finish } = busyQueue({ maxWaitMs: 100, now: () => now })
  const late = queue.run(async () => 'never')
  now = 101
  const next = queue.run(async () => 'done')
  finish()
  await t.rejects(late, new QueueOverload('late'))
  t.equal(await next, 'done')
})

await t.test('A task that fails gives its place to the next', async (t) => {
  const { queue, finish } = busyQueue()
  const failing = queue.run(async () => { throw new Error('failed') })
  const next = queue.run(async () => 'done')
  finish()
  await t.rejects(failing, { message: 'failed' })
  t.equal(await next, 'done')
})
