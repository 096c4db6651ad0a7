import { dirname, resolve } from 'node:path'
import { syncPath } from '../store/lmdb/data-file.ts'
import { holdsLmdbStore, openLmdbReader } from '../store/lmdb/lmdb-store.ts'
import { makeFolder } from '../store/lmdb/make-folder.ts'
import { checkBytes } from './check.ts'
import type { Console } from './console.ts'
import { isPostgres, openEmbedded, type Location } from './location.ts'

/**
 * Copies an embedded store as it is at this moment, even while a service uses it, and checks the copy.
 * @returns the number of documents with a fault
 * @throws Error for a store in PostgreSQL, and for a folder that contains a store
 */
export async function backup (from: Location, folder: string, console: Console): Promise<number> {
  if (isPostgres(from)) throw new Error('Back up a store in PostgreSQL with pg_dump (schema y_provider)')
  if (holdsLmdbStore(folder)) throw new Error(`There is a store in ${folder} already: name another folder`)
  const made = await makeFolder(resolve(folder))
  const store = await openEmbedded(from, console.logger)
  try {
    await store.copyTo(folder)
    if (made !== undefined) await syncParents(resolve(folder), resolve(made))
  } finally {
    await store.close()
  }
  const copy = await openLmdbReader(folder)
  try {
    const faults = await checkBytes(copy, console)
    console.print(`The copy is in ${folder}: a service with DATA_DIR=${folder} serves it`)
    return faults
  } finally {
    await copy.close()
  }
}

/**
 * Syncs the folders that contain new folders, from the innermost to the outermost: their names must be on the disk too.
 */
async function syncParents (folder: string, made: string): Promise<void> {
  await syncPath(dirname(folder))
  if (folder !== made && folder !== dirname(folder)) await syncParents(dirname(folder), made)
}
