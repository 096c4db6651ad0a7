import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lastPage, openLmdbFile } from '../../../src/store/lmdb/data-file.ts'
import { Headroom } from '../../../src/store/lmdb/headroom.ts'

const page = 4096
/** As long as a name can be: few fit into a page, so the tree is deep. */
const keyOf = (at: number) => Buffer.from(String(at).padStart(7, '0').padEnd(1000, 'x'))

await t.test('The headroom is large enough for scattered writes in a deep tree', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'y-headroom-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'documents.mdb')
  const tree = openLmdbFile(path, {})
  t.teardown(() => tree.close())
  const COUNT = 3000
  tree.transactionSync(() => { for (let at = 0; at < COUNT; at++) tree.putSync(keyOf(at * 10), Buffer.alloc(8)) })
  const headroom = await Headroom.of(tree, path)
  t.teardown(() => headroom.close())
  const puts = 20
  await headroom.reserve({ puts, removes: 0, largePages: 0 })
  const { size } = await stat(path)
  tree.transactionSync(() => {
    for (let at = 0; at < puts; at++) tree.putSync(keyOf(at * 10 * Math.floor(COUNT / puts) + 5), Buffer.alloc(8))
  })
  t.ok((lastPage(tree) + 1) * page <= size, `${(lastPage(tree) + 1)} pages are used, and there is room for ${size / page}; depth ${(tree.getStats() as { treeDepth: number }).treeDepth}`)
})
