import { dirname, resolve } from 'node:path'
import type { Logger } from '../logging/logger.ts'
import { syncPath } from '../store/lmdb/data-file.ts'
import { holdsLmdbStore, openLmdbReader } from '../store/lmdb/lmdb-store.ts'
import { makeFolder } from '../store/lmdb/make-folder.ts'
import { checkBytes } from './check.ts'
import { console } from './console.ts'
import { isPostgres, openEmbedded, type Location } from './location.ts'

/** Copies an embedded store as it is at this moment, while a service may be using it, and checks the copy. @returns faults found */
export async function backup (from: Location, folder: string, logger: Logger): Promise<number> {
  if (isPostgres(from)) throw new Error('A store in PostgreSQL is saved with its own tools, pg_dump for one (schema y_provider)')
  if (holdsLmdbStore(folder)) throw new Error(`There is a store in ${folder} already: name another folder`)
  const made = await makeFolder(resolve(folder))
  const store = await openEmbedded(from, logger)
  try {
    await store.copyTo(folder)
    if (made !== undefined) await syncParents(resolve(folder), resolve(made))
  } finally {
    await store.close()
  }
  const copy = await openLmdbReader(folder)
  try {
    const faults = await checkBytes(copy)
    console.say(`The copy is in ${folder}: a service with DATA_DIR=${folder} serves it`)
    return faults
  } finally {
    await copy.close()
  }
}

/** The names of new folders too must be on the disk, from the innermost to the outermost that was made. */
async function syncParents (folder: string, made: string): Promise<void> {
  await syncPath(dirname(folder))
  if (folder !== made && folder !== dirname(folder)) await syncParents(dirname(folder), made)
}
