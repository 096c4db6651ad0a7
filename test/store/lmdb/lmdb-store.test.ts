import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLmdbReader, openLmdbStore } from '../../../src/store/lmdb/lmdb-store.ts'
import { quiet } from '../quiet-logger.ts'
import { damageLmdb } from '../damage-lmdb.ts'
import { storeContract } from '../contract/store-contract.ts'
import type { Subject } from '../contract/subject.ts'

async function open (t: Test, sync: 'process' | 'fsync', foldEveryMs?: number): Promise<Subject> {
  const path = await mkdtemp(join(tmpdir(), 'y-store-'))
  const store = await openLmdbStore({ path, sync, logger: quiet, ...foldEveryMs === undefined ? {} : { foldEveryMs } })
  const opened = [store]
  t.teardown(async () => {
    for (const each of opened) await each.close()
    await rm(path, { recursive: true })
  })
  return {
    store,
    reopen: async () => {
      const again = await openLmdbReader(path)
      opened.push(again)
      return again
    },
    damage: (document, what) => damageLmdb(path, document, what),
  }
}

await t.test('The embedded store that survives a crash of the process obeys the contract', async (t) => storeContract(t, (t) => open(t, 'process')))
await t.test('The embedded store that syncs to the disk obeys the contract', async (t) => storeContract(t, (t) => open(t, 'fsync')))
await t.test('The embedded store that folds its journal all the time obeys the contract', async (t) => storeContract(t, (t) => open(t, 'process', 0)))
