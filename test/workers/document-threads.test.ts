import { readdirSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import * as Y from 'yjs'
import { Known } from '../../src/update/known.ts'
import { MalformedUpdate } from '../../src/update/malformed-update.ts'
import { DocumentThreads, workLimitMs } from '../../src/workers/document-threads.ts'
import { pack, packInSteps, unpack } from '../../src/workers/packed-updates.ts'
import { PoolClosed } from '../../src/workers/pool-errors.ts'
import { mapConflicts, rightOriginChain } from './slow-updates.ts'

const pieceBytes = 256 * 1024

async function open (t: Test): Promise<DocumentThreads> {
  const work = await DocumentThreads.open(1, { warn () {} })
  t.teardown(() => work.close())
  return work
}

function documentOf (bytes: number): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'x'.repeat(bytes))
  return Y.encodeStateAsUpdate(doc)
}

for (const slow of [rightOriginChain, mapConflicts]) {
  await t.test(`A compaction delays no other task: ${slow.name}`, async (t) => {
    const work = await open(t)
    let isCompacted = false
    const compaction = work.compact([slow(40_000)], pieceBytes)
    const stopped = t.rejects(compaction.finally(() => { isCompacted = true }), PoolClosed)
    const paste = documentOf(200_000)
    await Promise.all([
      work.scan(paste, 'client', 'other'),
      work.know(undefined, [paste], 'other'),
      work.difference([paste], Uint8Array.of(0), pieceBytes, 'other'),
      work.difference([documentOf(5_000_000)], Uint8Array.of(0), pieceBytes, 'large'),
    ])
    t.notOk(isCompacted)
    t.match([work.stats('interactive').completed, work.stats('large').completed], [3, 1])
    await work.close()
    await stopped
  })
}

await t.test('Merging keeps everything, deletions too, in time linear in the bytes', async (t) => {
  const work = await open(t)
  const updates: Uint8Array[] = []
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => { updates.push(update) })
  doc.getText('text').insert(0, 'one two three')
  doc.getText('text').delete(4, 4)
  doc.getMap('map').set('key', 'value')
  const { pieces, known } = await work.merge(updates, pieceBytes)
  const read = new Y.Doc()
  for (const piece of pieces) Y.applyUpdate(read, piece)
  t.equal(read.getText('text').toString(), 'one three')
  t.same(read.getMap('map').toJSON(), { key: 'value' })
  t.same(known, Known.unpack(await work.know(undefined, updates, 'room')).encode())
  const slow = rightOriginChain(30_000)
  t.equal((await work.merge([slow], pieceBytes)).pieces.length > 0, true)
})

await t.test('The time limit grows with the size of the document', async (t) => {
  const MiB = 2 ** 20
  for (const type of ['scan', 'know', 'difference', 'merge', 'compact'] as const) {
    t.ok(workLimitMs(type, 100 * MiB) > 2 * workLimitMs(type, 10 * MiB), type)
    t.ok(workLimitMs(type, 100_000) < 15_000, `a small ${type}`)
  }
})

await t.test('Failures are counted by lane and kind', async (t) => {
  const work = await open(t)
  const failure: unknown = await work.scan(Uint8Array.of(1, 2, 3), 'client', 'room').catch((error: unknown) => error)
  t.match(failure, { constructor: MalformedUpdate, offset: 3, reason: 'it ends too early' })
  t.match(work.stats('interactive'), { failures: { malformed: 1, deadline: 0 }, queued: 0, queuedBytes: 0 })
  t.ok(work.stats('interactive').busyMs > 0)
  t.match(work.stats('background'), { threads: 0, busyMs: 0, failures: { malformed: 0 } })
})

await t.test('Compaction has a lower priority for the processor', { skip: process.platform !== 'linux' }, async (t) => {
  const niceness = (): number[] => readdirSync('/proc/self/task').map((id) => Number(readFileSync(`/proc/self/task/${id}/stat`, 'latin1').split(') ')[1]?.split(' ')[16]))
  const before = Math.max(...niceness())
  const work = await open(t)
  await work.scan(documentOf(10), 'client', 'room')
  t.equal(Math.max(...niceness()), before)
  await work.compact([documentOf(10)], pieceBytes)
  t.equal(niceness().filter((value) => value > before).length, 1)
})

await t.test('A difference that is no longer wanted ends, and is no failure', async (t) => {
  const work = await open(t)
  const controller = new AbortController()
  const difference = work.difference([documentOf(5_000_000)], Uint8Array.of(0), pieceBytes, 'room', controller.signal)
  controller.abort()
  await t.rejects(difference, { name: 'AbortError' })
  t.same(work.stats('large').failures, { busy: 0, deadline: 0, memory: 0, malformed: 0, error: 0 })
})

await t.test('A large document is packed bit by bit, with the same result', async (t) => {
  const updates = [documentOf(10), Uint8Array.of(), documentOf(3_000_000), documentOf(2 ** 20), documentOf(1)]
  const packed = await packInSteps(updates)
  // Compared as bytes: tap would compare millions of numbers one by one.
  t.equal(Buffer.compare(packed, pack(updates)), 0)
  t.same(unpack(packed).map((update, at) => Buffer.compare(update, updates[at] ?? packed)), updates.map(() => 0))
})
