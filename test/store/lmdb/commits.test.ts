import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import { watchCommits, type CommitFailure } from '../../../src/store/lmdb/commits.ts'
import type { LmdbTree } from '../../../src/store/lmdb/tree.ts'
import { fileSizeLimit } from './file-size-limit.ts'

async function makeTree (t: Test): Promise<LmdbTree> {
  const path = await mkdtemp(join(tmpdir(), 'y-commits-'))
  const tree = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary', overlappingSync: true, separateFlushed: true, eventTurnBatching: false })
  t.teardown(async () => {
    await tree.close()
    await rm(path, { recursive: true })
  })
  return tree
}

await t.test('A commit is visible before it is synced, and can be read at once', async (t) => {
  const tree = await makeTree(t)
  const commit = watchCommits(tree)
  let overtaken = 0
  for (let at = 0; at < 20; at++) {
    const key = Buffer.from([at + 1])
    const order = await new Promise<string[]>((resolve, reject) => {
      const order: string[] = []
      commit([{ key, value: Buffer.alloc(10_000, at) }], {
        visible: () => {
          order.push(`visible ${tree.getBinary(key)?.length}`)
          queueMicrotask(() => order.push('later'))
        },
        synced: () => resolve([...order, 'synced']),
        failed: reject,
      })
    })
    t.equal(order[0], 'visible 10000')
    if (order[1] === 'later') overtaken++
  }
  // If both were always reported together, "process" would be the same as "fsync". A busy machine can see both in one
  // turn now and then.
  t.ok(overtaken > 0, `${overtaken} of 20 were visible before they were synced`)
})

await t.test('A failed write is reported once and changes nothing, and the next one works', async (t) => {
  const limit = fileSizeLimit(t)
  const tree = await makeTree(t)
  const commit = watchCommits(tree)
  const key = Buffer.from('key')
  const write = (value: Buffer) => new Promise<void>((resolve, reject) => commit(
    [{ key, value }],
    { visible: () => {}, synced: resolve, failed: reject }
  ))
  await write(Buffer.from('before'))
  limit(String(1 << 20))
  const failure = await write(Buffer.alloc(4 << 20)).catch((error: CommitFailure) => error)
  t.match(failure, { name: 'CommitFailure', visible: false, fatal: false, message: /is the disk full\?/ })
  t.equal(tree.getBinary(key)?.toString(), 'before')
  limit('unlimited')
  await write(Buffer.from('after'))
  t.equal(tree.getBinary(key)?.toString(), 'after')
})
