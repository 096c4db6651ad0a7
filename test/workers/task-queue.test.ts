import t from 'tap'
import { type QueuedTask, TaskQueue } from '../../src/workers/task-queue.ts'

interface Task extends QueuedTask { readonly name: string }

const MiB = 2 ** 20

const task = (name: string, bytes = 0, key?: string): Task => ({ name, bytes, key })

function orderOf (queue: TaskQueue<Task>): string {
  const names: string[] = []
  for (let next = queue.takeFirst(); next !== undefined; next = queue.takeFirst()) names.push(next.name)
  return names.join(' ')
}

function queueOf (...tasks: Task[]): TaskQueue<Task> {
  const queue = new TaskQueue<Task>()
  for (const task of tasks) queue.add(task, 0)
  return queue
}

t.test('Tasks without key and bytes are first come, first served', async (t) => {
  t.equal(orderOf(queueOf(task('a'), task('b'), task('c'))), 'a b c')
})

t.test('Small tasks go first', async (t) => {
  t.equal(orderOf(queueOf(task('large', 32 * MiB, 'a'), task('small', MiB, 'b'), task('smaller', 100_000, 'c'))), 'smaller small large')
})

t.test('A key with many tasks delays itself, not others', async (t) => {
  const flood = Array.from({ length: 5 }, (_, i) => task(`flood-${i}`, 2 * MiB, 'flood'))
  t.equal(orderOf(queueOf(...flood, task('other', 3 * MiB, 'other'))), 'flood-0 other flood-1 flood-2 flood-3 flood-4')
})

t.test('A large task does not wait for ever while small ones keep coming', async (t) => {
  const queue = queueOf(task('large', 32 * MiB, 'a'))
  for (let second = 1; second < 100; second++) {
    queue.add(task('small', 100_000, `room-${second}`), second * 1000)
    if (queue.takeFirst()?.name === 'large') return t.ok(second < 40, `after ${second} s`)
  }
  t.fail('it still waits')
})

t.test('A task that is added again keeps its place', async (t) => {
  const queue = queueOf(task('first', 100, 'a'))
  queue.add(task('second', 100, 'b'), 1)
  const first = queue.takeFirst()
  if (first !== undefined) queue.add(first, 60_000)
  t.equal(orderOf(queue), 'first second')
})

t.test('The queue counts what waits, however tasks leave it', async (t) => {
  const removed = task('removed', 3)
  const queue = queueOf(task('first', 1), removed, task('last', 5))
  t.match(queue, { length: 3, bytes: 9 })
  t.ok(queue.remove(removed))
  t.notOk(queue.remove(removed))
  t.match(queue, { length: 2, bytes: 6 })
  t.equal(queue.takeLast()?.name, 'last')
  t.match(queue, { length: 1, bytes: 1 })
  t.equal(queue.takeFirst()?.name, 'first')
  t.match(queue, { length: 0, bytes: 0 })
  t.equal(queue.takeFirst(), undefined)
})
