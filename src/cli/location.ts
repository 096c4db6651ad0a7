import type { Logger } from '../logging/logger.ts'
import { prepare, type Environment } from '../settings/prepare.ts'
import { StoreInUse } from '../store/lmdb/owner.ts'
import { holdsLmdbStore, openLmdbReader, openLmdbStore, type LmdbStore } from '../store/lmdb/lmdb-store.ts'
import { postgresFailure } from '../store/postgres/postgres-failure.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { isPostgresUrl, postgresUrlForm } from '../store/postgres/postgres-url.ts'
import type { Store } from '../store/store.ts'

/** Where a store is: a folder, or a URL that begins with postgres:// or postgresql://. */
export type Location = string

/** Whether the location is a URL of PostgreSQL. */
export const isPostgres = (location: Location): boolean => /^postgres(ql)?:\/\//.test(location)

/**
 * The location as it can be printed. No part of a URL can: any part can belong to a password that is not
 * percent-encoded.
 */
export const shown = (location: Location): string => isPostgres(location) ? 'PostgreSQL' : location

/** The store that an option names; without the option, the store of a service with these variables. */
export function configured ({ store }: { readonly store?: string }, env: Environment): Location {
  if (store !== undefined) return store
  const { DATABASE_URL, DATA_DIR } = prepare(env)
  return String(DATABASE_URL ?? DATA_DIR ?? './data')
}

/** Opens a store to read it, even while a service uses it. */
export async function openSource (location: Location, logger: Logger): Promise<Store> {
  return isPostgres(location) ? openPostgres(location, logger) : openEmbedded(location, logger)
}

/**
 * Opens an embedded store to read it, even while a service uses it. If no service does, the store is first opened to
 * write: after a power cut, only a writer finds the last complete state.
 */
export async function openEmbedded (folder: string, logger: Logger): Promise<LmdbStore> {
  assertStoreIn(folder)
  try {
    await (await openLmdbStore({ path: folder, sync: 'fsync', logger })).close()
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
  }
  return openLmdbReader(folder)
}

/** Opens an existing store to write to it. @throws StoreInUse if a service uses the embedded store */
export async function openExisting (location: Location, logger: Logger): Promise<Store> {
  if (!isPostgres(location)) assertStoreIn(location)
  return openTarget(location, logger)
}

/**
 * Opens a store to write to it; creates an embedded store that does not exist.
 * @throws StoreInUse if a service uses it
 */
export async function openTarget (location: Location, logger: Logger): Promise<Store> {
  if (isPostgres(location)) return openPostgres(location, logger)
  try {
    return await openLmdbStore({ path: location, sync: 'fsync', logger })
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
    throw new StoreInUse(`A service uses the store in ${location}, and an embedded store has one writer: stop the service, run this command, and start the service again. Commands that only read (list, show, check, backup, export) can run beside it`, { cause: error })
  }
}

/** @throws Error with the reason why PostgreSQL cannot be used, without any part of the URL */
async function openPostgres (url: string, logger: Logger): Promise<Store> {
  if (!isPostgresUrl(url)) throw new Error(`The store in PostgreSQL must be ${postgresUrlForm}`)
  return await openPostgresStore({ url, logger })
    .catch((cause: unknown) => { throw new Error(`PostgreSQL cannot be used: ${postgresFailure(cause)}`, { cause }) })
}

function assertStoreIn (folder: string): void {
  if (!holdsLmdbStore(folder)) throw new Error(`There is no store in ${folder}`)
}
