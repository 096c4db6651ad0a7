import { mkdir } from 'node:fs/promises'
import type { Logger } from '../logger.ts'
import { holdsLmdbStore, openLmdbReader } from '../store/lmdb-store.ts'
import { check } from './check.ts'
import { console } from './console.ts'
import { isPostgres, openEmbedded, type Location } from './location.ts'

/** Copies an embedded store as it is at this moment, while a service may be using it, and checks the copy. @returns faults found */
export async function backup (from: Location, folder: string, logger: Logger): Promise<number> {
  if (isPostgres(from)) throw new Error('A store in PostgreSQL is saved with its own tools, pg_dump for one (schema y_provider)')
  if (holdsLmdbStore(folder)) throw new Error(`There is a store in ${folder} already: name another folder`)
  await mkdir(folder, { recursive: true })
  const store = await openEmbedded(from, logger)
  try {
    await store.copyTo(folder)
  } finally {
    await store.close()
  }
  const copy = await openLmdbReader(folder)
  try {
    const faults = await check(copy)
    console.say(`The copy is in ${folder}: a service with DATA_DIR=${folder} serves it`)
    return faults
  } finally {
    await copy.close()
  }
}
