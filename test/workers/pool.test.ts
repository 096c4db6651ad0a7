import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import type { CarriedError } from '../../src/workers/messages.ts'
import { openPool, type Pool, type PoolOptions } from '../../src/workers/pool.ts'
import { PoolBusy, PoolClosed, PoolDeadline, PoolMemory, WorkerDied } from '../../src/workers/pool-errors.ts'
import { OddNumber, type SampleTask } from './sample-tasks.ts'

const MiB = 2 ** 20

async function open (t: Test, options: Partial<PoolOptions> = {}): Promise<Pool> {
  const pool = await openPool({
    module: new URL('./sample-tasks.ts', import.meta.url),
    threads: 1,
    maxQueue: 10,
    memoryMb: 256,
    revive: (error: CarriedError) => error.name === 'OddNumber' ? new OddNumber(error.message) : undefined,
    ...options,
  })
  t.teardown(() => pool.close())
  return pool
}

const run = (pool: Pool, task: SampleTask, options?: Parameters<Pool['run']>[1]) => pool.run<unknown>(task, options)

/** A task that holds its thread, and what tells that it does, and what lets it go. */
function holder () {
  const started = new SharedArrayBuffer(4)
  const go = new SharedArrayBuffer(4)
  return {
    task: { do: 'spin', started, go } satisfies SampleTask,
    started: async () => { while (Atomics.load(new Int32Array(started), 0) === 0) await new Promise((resolve) => setImmediate(resolve)) },
    go: () => { Atomics.store(new Int32Array(go), 0, 1); Atomics.notify(new Int32Array(go), 0) },
  }
}

await t.test('does tasks, in the order in which they came', async (t) => {
  const pool = await open(t, { maxQueue: 100 })
  const order: number[] = []
  await Promise.all(Array.from({ length: 50 }, async (_, value) => order.push(await pool.run<number>({ do: 'echo', value }))))
  t.strictSame(order, Array.from({ length: 50 }, (_, index) => index))
  t.match(pool.stats(), { threads: 1, busy: 0, queued: 0, completed: 50, failed: 0, replaced: 0 })
})

await t.test('with two threads each takes its tasks in the order in which they came', async (t) => {
  const pool = await open(t, { threads: 2, maxQueue: 300 })
  const done = await Promise.all(Array.from({ length: 200 }, (_, value) => pool.run<{ thread: number, turn: number }>({ do: 'turn', value })))
  const turns = new Map<number, number[]>()
  for (const { thread, turn } of done) turns.set(thread, [...turns.get(thread) ?? [], turn])
  for (const order of turns.values()) t.strictSame(order, Array.from({ length: order.length }, (_, index) => index + 1))
})

await t.test('keeps nothing of a task that is done: it may have held a large document', async (t) => {
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
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  t.same(done.map((task) => task.deref()), [undefined, undefined, undefined])
})

await t.test('keeps nothing of a task that was given up while it waited', async (t) => {
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
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  t.equal(given.deref(), undefined)
  held.go()
  await busy
})

await t.test('a task that is given up after its worker has died, and before it has another, leaves the pool at work', async (t) => {
  const pool = await open(t, { retry: 1 })
  const controller = new AbortController()
  const doomed = run(pool, { do: 'die' }, { signal: controller.signal })
  // It waits for its second worker.
  while (pool.stats().queued === 0) await new Promise((resolve) => setImmediate(resolve))
  controller.abort(new Error('gone'))
  await t.rejects(doomed, { message: 'gone' })
  t.equal(pool.stats().queued, 0)
  t.same(await Promise.all([1, 2, 3].map((value) => run(pool, { do: 'echo', value }))), [1, 2, 3])
  t.equal(await run(pool, { do: 'echo', value: 4 }), 4)
})

await t.test('gives the context to the module, and none of the environment', async (t) => {
  const pool = await open(t, { context: { a: 1 } })
  t.same(await run(pool, { do: 'context' }), { given: { a: 1 }, isMainThread: false })
  t.same(await run(pool, { do: 'environment' }), [])
})

await t.test('an error keeps its class, its code and its message', async (t) => {
  const pool = await open(t)
  await t.rejects(run(pool, { do: 'fail' }), { name: 'OddNumber', code: 'ODD', message: 'This number is odd', constructor: OddNumber })
  const plain = await open(t, { revive: () => undefined })
  await t.rejects(run(plain, { do: 'fail' }), { name: 'OddNumber', code: 'ODD', message: 'This number is odd' })
})

await t.test('a full queue refuses, and takes tasks again when there is room', async (t) => {
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

await t.test('more bytes than may wait: what would be done last is refused, so that large tasks turn no small one away', async (t) => {
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

await t.test('keys take turns', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const done: string[] = []
  const add = async (value: string, key: string): Promise<void> => { done.push(await pool.run<string>({ do: 'echo', value }, { key, bytes: MiB })) }
  const all = [add('a1', 'a'), add('a2', 'a'), add('a3', 'a'), add('b1', 'b')]
  held.go()
  await Promise.all([first, ...all])
  t.same(done, ['a1', 'b1', 'a2', 'a3'])
})

await t.test('the limit of the work does not count the wait', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  const stuck = holder()
  const second = run(pool, stuck.task, { workMs: 50 })
  // A task with a limit of its own is over: so would the other's be, if it counted the wait.
  await t.rejects(run(pool, { do: 'echo', value: 1 }, { deadlineMs: 100 }), PoolDeadline)
  t.match(pool.stats(), { queued: 1, failed: 1 })
  held.go()
  t.equal(await first, 'went')
  await t.rejects(second, PoolDeadline)
  t.equal(await run(pool, { do: 'echo', value: 2 }, { deadlineMs: 1, workMs: 60_000 }).catch(() => 'late'), 'late', 'the wait has a limit too')
})

await t.test('a stuck worker is replaced at the deadline', async (t) => {
  const pool = await open(t)
  const held = holder()
  await t.rejects(run(pool, held.task, { deadlineMs: 50 }), PoolDeadline)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
  t.match(pool.stats(), { replaced: 1 })
})

await t.test('a deadline in the queue costs no worker', async (t) => {
  const pool = await open(t)
  const held = holder()
  const first = run(pool, held.task)
  await held.started()
  await t.rejects(run(pool, { do: 'echo', value: 1 }, { deadlineMs: 20 }), PoolDeadline)
  held.go()
  t.equal(await first, 'went')
  t.match(pool.stats(), { replaced: 0, queued: 0 })
})

await t.test('a task is cancelled in the queue, before it and at work', async (t) => {
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

await t.test('an abandoned task that ends in the time of grace costs no worker', async (t) => {
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

await t.test('a worker that dies is replaced', async (t) => {
  const pool = await open(t)
  await t.rejects(run(pool, { do: 'die' }), WorkerDied)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('its task is done again when asked for, once', async (t) => {
  const warnings: string[] = []
  const pool = await open(t, { retry: 1, logger: { warn: (_, message) => warnings.push(message) } })
  t.equal(await run(pool, { do: 'die', flag: new SharedArrayBuffer(4) }), 'survived')
  t.equal(warnings.length, 1)
  await t.rejects(run(pool, { do: 'die' }), WorkerDied)
})

await t.test('a task may not take more memory than its worker has', async (t) => {
  const pool = await open(t, { memoryMb: 64, retry: 1 })
  await t.rejects(run(pool, { do: 'hoard' }), PoolMemory)
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('buffers are handed over in both directions', async (t) => {
  const pool = await open(t)
  t.equal((await pool.run<Uint8Array>({ do: 'bytes', length: 5 })).byteLength, 5)
  const value = new Uint8Array([1, 2, 3])
  t.strictSame(await pool.run({ do: 'echo', value }, { transfer: [value.buffer] }), new Uint8Array([1, 2, 3]))
  t.equal(value.byteLength, 0)
})

await t.test('a task that cannot be sent is refused, and the worker goes on', async (t) => {
  const pool = await open(t)
  await t.rejects(pool.run({ do: 'echo', value: () => 1 }), { name: 'DataCloneError' })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('a module that does not load stops the opening', async (t) => {
  await t.rejects(open(t, { module: new URL('./no-such-module.ts', import.meta.url) }), { message: /no-such-module/ })
})

await t.test('closing refuses what waits, what is at work and what comes', async (t) => {
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

await t.test('a pool that starts with its first task ends with its last: no thread stays without work', async (t) => {
  const pool = await open(t, { eager: false, idleMs: () => 20 })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
  while (pool.stats().threads > 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal(await run(pool, { do: 'echo', value: 2 }), 2)
  t.match(pool.stats(), { threads: 1, replaced: 0 })
})

await t.test('threads beyond the first end when they have had nothing to do', async (t) => {
  const pool = await open(t, { threads: 3, idleMs: () => 20 })
  const holders = [holder(), holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  t.match(pool.stats(), { threads: 3, busy: 3 })
  holders.forEach((held) => held.go())
  await Promise.all(all)
  while (pool.stats().threads > 1) await new Promise((resolve) => setImmediate(resolve))
  t.match(pool.stats(), { threads: 1, replaced: 0 })
  t.equal(await run(pool, { do: 'echo', value: 1 }), 1)
})

await t.test('of threads that were needed for a moment one may stay', async (t) => {
  const asked: number[] = []
  const pool = await open(t, { threads: 3, eager: false, idleMs: (_heapBytes, others) => { asked.push(others); return others > 0 ? 1 : 0 } })
  const holders = [holder(), holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  holders.slice(1).forEach((held) => held.go())
  await Promise.all(all.slice(1))
  while (pool.stats().threads > 1) await new Promise((resolve) => setImmediate(resolve))
  holders[0]?.go()
  t.equal(await all[0], 'went')
  const first = await run(pool, { do: 'turn', value: 0 })
  t.equal(asked.at(-1), 0)
  t.match(await run(pool, { do: 'turn', value: 0 }), { thread: (first as { thread: number }).thread, turn: 2 })
})

await t.test('of threads that become free together one stays as well', async (t) => {
  const asked: number[] = []
  const pool = await open(t, { threads: 2, eager: false, idleMs: (_heapBytes, others) => { asked.push(others); return others > 0 ? 20 : 0 } })
  const holders = [holder(), holder()]
  const all = holders.map((held) => run(pool, held.task))
  await Promise.all(holders.map((held) => held.started()))
  holders.forEach((held) => held.go())
  await Promise.all(all)
  // The other's time comes at the same moment, and now it is the only one.
  while (asked.at(-1) !== 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal(pool.stats().threads, 1)
})

await t.test('how long a thread stays without work follows from the memory that it keeps', async (t) => {
  const keptBytes = 64 * 1024 * 1024
  const asked: number[] = []
  const pool = await open(t, { eager: false, idleMs: (heapBytes) => { asked.push(heapBytes); return heapBytes > keptBytes ? 1 : 0 } })
  const threadOf = async () => (await pool.run<{ thread: number }>({ do: 'turn', value: 0 })).thread
  const first = await threadOf()
  await run(pool, { do: 'echo', value: 1 })
  t.ok((asked.at(-1) ?? 0) > 0, 'it has told what it keeps')
  t.equal(await threadOf(), first, 'small: it stays')
  t.equal(await run(pool, { do: 'keep', bytes: keptBytes }), keptBytes)
  while (pool.stats().threads > 0) await new Promise((resolve) => setImmediate(resolve))
  t.not(await threadOf(), first, 'large: it ends')
})
