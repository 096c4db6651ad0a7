import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import type { PoolOptions } from '../../src/workers/pool-options.ts'
import { openPool, type Pool } from '../../src/workers/pool.ts'
import { PoolBusy, PoolClosed, PoolDeadline, PoolMemory, WorkerDied } from '../../src/workers/pool-errors.ts'
import { siblingModule } from '../../src/workers/sibling-module.ts'
import { eventually } from '../clients/eventually.ts'
import { OddNumber, type SampleTask } from './sample-tasks.ts'

const MiB = 2 ** 20

async function open (t: Test, options: Partial<PoolOptions> = {}): Promise<Pool> {
  const pool = await openPool({
    module: siblingModule(import.meta.url, 'sample-tasks'),
    threads: 1,
    maxQueue: 10,
    memoryMb: 256,
    revive: (description) => new OddNumber(String(description)),
    ...options,
  })
  t.teardown(() => pool.close())
  return pool
}

const run = (pool: Pool, task: SampleTask, options?: Parameters<Pool['run']>[1]) => pool.run<unknown>(task, options)

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A task that holds its thread; `started` waits until it does, `go` ends it. */
function holder () {
  const started = new SharedArrayBuffer(4)
  const go = new SharedArrayBuffer(4)
  return {
    task: { do: 'spin', started, go } satisfies SampleTask,
    started: async () => { await eventually(() => Atomics.load(new Int32Array(started), 0) !== 0) },
    go: () => { Atomics.store(new Int32Array(go), 0, 1); Atomics.notify(new Int32Array(go), 0) },
  }
}

await t.test('Tasks are done in the order of their arrival', async (t) => {
  const pool = await open(t, { maxQueue: 100 })
  const order: number[] = []
  await Promise.all(Array.from({ length: 50 }, async (_, value) => order.push(await pool.run<number>({ do: 'echo', value }))))
  t.strictSame(order, Array.from({ length: 50 }, (_, index) => index))
  t.match(pool.stats(), { threads: 1, busy: 0, queued: 0, completed: 50, failed: 0, replaced: 0 })
})

await t.test('Each of two threads does its tasks in the order of their arrival', async (t) => {
  const pool = await open(t, { threads: 2, maxQueue: 300 })
  const tasks = Array.from({ length: 200 }, (_, value) => pool.run<{ thread: number, turn: number }>({ do: 'turn', value }))
  const done = await Promise.all(tasks)
  const turns = new Map<number, number[]>()
  for (const { thread, turn } of done) turns.set(thread, [...turns.get(thread) ?? [], turn])
  for (const order of turns.values()) t.strictSame(order, Array.from({ length: order.length }, (_, index) => index + 1))
})

await t.test('The pool keeps nothing of a task that is done', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const pool = await open(t)
  const finish = async (value: number): Promise<WeakRef<object>> => {
    const task: SampleTask = { do: 'echo', value }
    await run(pool, task)
    return new WeakRef(task)
  }
  const done = [await finish(0), await finish(1), await finish(2)]
  for (let round = 0; round < 20 && done.some((task) => task.deref() !== undefined); round++) {
    await turn()
    collectGarbage()
  }
  t.same(done.map((task) => task.deref()), [undefined, undefined, undefined])
})

await t.test('The pool keeps nothing of a task that was abandoned in the queue', async (t) => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const pool = await open(t)
  const held = holder()
  const busy = run(pool, held.task)
  await held.started()
  const giveUp = async (): Promise<WeakRef<object>> => {
    const task: SampleTask = { do: 'echo', value: 1 }
    const controller = new AbortController()
    const waiting = run(pool, task, { signal: controller.signal })
    controller.abort(new Error('gone'))
    await t.rejects(waiting, { message: 'gone' })
    return new WeakRef(task)
  }
  const given = await giveUp()
  for (let round = 0; round < 20 && given.deref() !== undefined; round++) {
    await turn()
    collectGarbage()
  }
  t.equal(given.deref(), undefined)
  held.go()
  await busy
})

await t.test('The pool goes on after a task is abandoned between the death of its thread and the retry', async (t) => {
  const pool = await open(t, { retry: 1 })
  const controller = new AbortController()
  const doomed = run(pool, { do: 'die' }, { signal: controller.signal })
  // It waits for its second thread.
  await eventually(() => pool.stats().queued > 0)
  controller.abort(new Error('gone'))
  await t.rejects(doomed, { message: 'gone' })
  t.equal(pool.stats().queued, 0)
  t.same(await Promise.all([1, 2, 3].map((value) => run(pool, { do: 'echo', value }))), [1, 2, 3])
  t.equal(await run(pool, { do: 'echo', value: 4 }), 4)
})

await t.test('The module gets the context, and nothing of the environment', async (t) => {
  const pool = await open(t, { context: { a: 1 } })
  t.same(await run(pool, { do: 'context' }), { given: { a: 1 }, isMainThread: false })
  t.same(await run(pool, { do: 'environment' }), [])
})

await t.test('An error keeps its class, its code and its message', async (t) => {
  const pool = await open(t)
  await t.rejects(run(pool, { do: 'fail' }), { name: 'OddNumber', code: 'ODD', message: 'This number is odd', constructor: OddNumber })
  const module = siblingModule(import.meta.url, 'sample-tasks')
  const plain = await openPool({ module, threads: 1, maxQueue: 1, memoryMb: 256 })
  t.teardown(() => plain.close())
  await t.rejects(run(plain, { do: 'fail' }), { name: 'OddNumber', code: 'ODD', message: 'This number is odd', constructor: Error })
})

await t.test('A module that fails to start rejects the opening with its own error', async (t) => {
  await t.rejects(open(t, { context: { odd: true } }), { message: 'The context is odd', constructor: OddNumber })
  const lazy = await open(t, { context: { odd: true }, eager: false })
  await t.rejects(run(lazy, { do: 'echo', value: 1 }), { constructor: WorkerDied, cause: { constructor: OddNumber } })
})

await t.test('A full queue rejects tasks until there is room', async (t) => {
  const pool = await open(t, { maxQueue: 1 })
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const second = run(pool, { do: 'echo', value: 2 })
  await t.rejects(run(pool, { do: 'echo', value: 3 }), PoolBusy)
  t.match(pool.stats(), { busy: 1, queued: 1 })
  held.go()
  t.equal(await first, 'went')
  t.equal(await second, 2)
  t.equal(await run(pool, { do: 'echo', value: 4 }), 4)
})

await t.test('Beyond the limit of bytes the task that would be done last is rejected, so that large tasks displace no small one', async (t) => {
  const pool = await open(t, { maxQueuedBytes: 100 * MiB })
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const alone = run(pool, { do: 'echo', value: 'alone' }, { bytes: 200 * MiB })
  t.match(pool.stats(), { queued: 1, queuedBytes: 200 * MiB })
  const refused = t.rejects(alone, PoolBusy)
  const small = run(pool, { do: 'echo', value: 'small' }, { bytes: 60 * MiB, key: 'a' })
  await refused
  await t.rejects(run(pool, { do: 'echo', value: 'large' }, { bytes: 90 * MiB, key: 'b' }), PoolBusy)
  held.go()
  t.same(await Promise.all([first, small]), ['went', 'small'])
  t.match(pool.stats(), { queued: 0, queuedBytes: 0, failed: 2 })
})

await t.test('Keys take turns', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const done: string[] = []
  const add = async (value: string, key: string): Promise<void> => {
    done.push(await pool.run<string>({ do: 'echo', value }, { key, bytes: MiB }))
  }
  const all = [add('a1', 'a'), add('a2', 'a'), add('a3', 'a'), add('b1', 'b')]
  held.go()
  await Promise.all([first, ...all])
  t.same(done, ['a1', 'b1', 'a2', 'a3'])
})

await t.test('The limit of the work does not count the wait', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const stuck = holder()
  const second = run(pool, stuck.task, { workMs: 50 })
  // This task misses its deadline; the other would too if its limit counted the wait.
  await t.rejects(run(pool, { do: 'echo', value: 1 }, { deadlineMs: 100 }), PoolDeadline)
  t.match(pool.stats(), { queued: 1, failed: 1 })
  held.go()
  t.equal(await first, 'went')
  await t.rejects(second, PoolDeadline)
  t.equal(await run(pool, { do: 'echo', value: 2 }, { deadlineMs: 1, workMs: 60_000 }).catch(() => 'late'), 'late', 'the wait has its own limit')
})

await t.test('A stuck thread is replaced at the deadline', async (t) => {
  const pool = await open(t)
  const held = holder()
  await t.rejects(run(pool, held.task, { deadlineMs: 50 }), PoolDeadline)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
  t.match(pool.stats(), { replaced: 1 })
})

await t.test('A deadline in the queue replaces no thread', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  await t.rejects(run(pool, { do: 'echo', value: 1 }, { deadlineMs: 20 }), PoolDeadline)
  held.go()
  t.equal(await first, 'went')
  t.match(pool.stats(), { replaced: 0, queued: 0 })
})

await t.test('A task is cancelled before it is queued, in the queue and in progress', async (t) => {
  const pool = await open(t, { graceMs: 10 })
  const held = holder()
  const atWork = new AbortController()
  const first = run(pool, held.task, { signal: atWork.signal })
  await held.started()
  const waiting = new AbortController()
  const second = run(pool, { do: 'echo', value: 2 }, { signal: waiting.signal })
  const third = run(pool, { do: 'echo', value: 3 })
  waiting.abort()
  await t.rejects(second, { name: 'AbortError' })
  atWork.abort(new Error('nobody waits'))
  await t.rejects(first, { message: 'nobody waits' })
  t.equal(await third, 3)
  t.match(pool.stats(), { replaced: 1, queued: 0 })
  await t.rejects(run(pool, { do: 'echo', value: 4 }, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

await t.test('An abandoned task that ends within the grace time keeps its thread', async (t) => {
  const pool = await open(t, { graceMs: 60_000 })
  const held = holder()
  const controller = new AbortController()
  const first = run(pool, held.task, { signal: controller.signal })
  await held.started()
  controller.abort()
  await t.rejects(first, { name: 'AbortError' })
  const second = run(pool, { do: 'echo', value: 2 })
  held.go()
  t.equal(await second, 2)
  t.match(pool.stats(), { replaced: 0 })
})

await t.test('A thread that dies is replaced', async (t) => {
  const pool = await open(t)
  await t.rejects(run(pool, { do: 'die' }), WorkerDied)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('With a retry, the task of a thread that died is done again, once', async (t) => {
  const warnings: string[] = []
  const pool = await open(t, { retry: 1, logger: { warn: (_, message) => warnings.push(message) } })
  t.equal(await run(pool, { do: 'die', flag: new SharedArrayBuffer(4) }), 'survived')
  t.equal(warnings.length, 1)
  await t.rejects(run(pool, { do: 'die' }), WorkerDied)
})

await t.test('A task that needs more memory than its thread has fails', async (t) => {
  const pool = await open(t, { memoryMb: 64, retry: 1 })
  await t.rejects(run(pool, { do: 'hoard' }), PoolMemory)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('Buffers are handed over in both directions', async (t) => {
  const pool = await open(t)
  t.equal((await pool.run<Uint8Array>({ do: 'bytes', length: 5 })).byteLength, 5)
  const value = new Uint8Array([1, 2, 3])
  t.strictSame(await pool.run({ do: 'echo', value }, { transfer: [value.buffer] }), new Uint8Array([1, 2, 3]))
  t.equal(value.byteLength, 0)
})

await t.test('A task that cannot be sent fails, and its thread goes on', async (t) => {
  const pool = await open(t)
  await t.rejects(pool.run({ do: 'echo', value: () => 1 }), { name: 'DataCloneError' })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('A module that fails to load rejects the opening', async (t) => {
  await t.rejects(open(t, { module: siblingModule(import.meta.url, 'no-such-module') }), { message: /no-such-module/ })
})

await t.test('Closing rejects the tasks that wait, that are in progress and that come later', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const second = run(pool, { do: 'echo', value: 2 })
  const refused = Promise.all([t.rejects(first, PoolClosed), t.rejects(second, PoolClosed)])
  await pool.close()
  await refused
  await t.rejects(run(pool, { do: 'echo', value: 3 }), PoolClosed)
})

await t.test('A pool that starts with its first task keeps no thread without work', async (t) => {
  const pool = await open(t, { eager: false, idleMs: () => 20 })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
  await eventually(() => pool.stats().threads === 0)
  t.equal(await run(pool, { do: 'echo', value: 2 }), 2)
  t.match(pool.stats(), { threads: 1, replaced: 0 })
})

await t.test('Threads beyond the first end when they have had no work', async (t) => {
  const pool = await open(t, { threads: 3, idleMs: () => 20 })
  const holders = [holder(), holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  t.match(pool.stats(), { threads: 3, busy: 3 })
  holders.forEach((held) => held.go())
  await Promise.all(all)
  await eventually(() => pool.stats().threads === 1)
  t.match(pool.stats(), { threads: 1, replaced: 0 })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('Of threads that were needed for a moment one can stay', async (t) => {
  const asked: number[] = []
  const pool = await open(t, {
    threads: 3,
    eager: false,
    idleMs: (_heapBytes, others) => { asked.push(others); return others > 0 ? 1 : 0 },
  })
  const holders = [holder(), holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  holders.slice(1).forEach((held) => held.go())
  await Promise.all(all.slice(1))
  await eventually(() => pool.stats().threads === 1)
  holders[0]?.go()
  t.equal(await all[0], 'went')
  const first = await run(pool, { do: 'turn', value: 0 })
  t.equal(asked.at(-1), 0)
  t.match(await run(pool, { do: 'turn', value: 0 }), { thread: (first as { thread: number }).thread, turn: 2 })
})

await t.test('Of threads that become idle together one stays as well', async (t) => {
  const asked: number[] = []
  const pool = await open(t, {
    threads: 2,
    eager: false,
    idleMs: (_heapBytes, others) => { asked.push(others); return others > 0 ? 20 : 0 },
  })
  const holders = [holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  holders.forEach((held) => held.go())
  await Promise.all(all)
  // The other one is due at the same moment, and by now it is the only one.
  await eventually(() => asked.at(-1) === 0)
  t.equal(pool.stats().threads, 1)
})

await t.test('A thread without work ends the sooner the more memory it keeps', async (t) => {
  const keptBytes = 64 * 1024 * 1024
  const asked: number[] = []
  const pool = await open(t, {
    eager: false,
    idleMs: (heapBytes) => { asked.push(heapBytes); return heapBytes > keptBytes ? 1 : 0 },
  })
  const threadOf = async () => (await pool.run<{ thread: number }>({ do: 'turn', value: 0 })).thread
  const first = await threadOf()
  await run(pool, { do: 'echo', value: 1 })
  t.ok((asked.at(-1) ?? 0) > 0, 'it reports what it keeps')
  t.equal(await threadOf(), first, 'small: it stays')
  t.equal(await run(pool, { do: 'keep', bytes: keptBytes }), keptBytes)
  await eventually(() => pool.stats().threads === 0)
  t.not(await threadOf(), first, 'large: it ends')
})
