import type { Logger } from '../logging/logger.ts'
import { prepare } from '../settings/prepare.ts'
import { StoreInUse } from '../store/lmdb/owner.ts'
import { holdsLmdbStore, openLmdbReader, openLmdbStore, type LmdbStore } from '../store/lmdb/lmdb-store.ts'
import { postgresFailure } from '../store/postgres/postgres-failure.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { isPostgresUrl, postgresUrlForm } from '../store/postgres/postgres-url.ts'
import type { Store } from '../store/store.ts'

/** Where a store is: a folder, or a URL that begins with postgres:// or postgresql://. */
export type Location = string

export const isPostgres = (location: Location): boolean => /^postgres(ql)?:\/\//.test(location)

/** The location, to be shown. Of a URL nothing is: where a password is not percent-encoded, any part may belong to it. */
export const shown = (location: Location): string => isPostgres(location) ? 'PostgreSQL' : location

/** The store that an option names, else the one that the service uses by the same variables. */
export function configured ({ store }: { readonly store?: string }): Location {
  if (store !== undefined) return store
  const { DATABASE_URL, DATA_DIR } = prepare(process.env)
  return String(DATABASE_URL ?? DATA_DIR ?? './data')
}

/** Opens a store to read it; a service may be using it. */
export async function openSource (location: Location, logger: Logger): Promise<Store> {
  return isPostgres(location) ? openPostgres(location, logger) : openEmbedded(location, logger)
}

/** Opens an embedded store to read it. After a power cut only who writes finds the last whole state: that is done first, where no service does it. */
export async function openEmbedded (folder: string, logger: Logger): Promise<LmdbStore> {
  assertStoreIn(folder)
  try {
    await (await openLmdbStore({ path: folder, sync: 'fsync', logger })).close()
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
  }
  return openLmdbReader(folder)
}

/** Opens a store that is there already to write to it; an embedded one must not be in use. @throws StoreInUse */
export async function openExisting (location: Location, logger: Logger): Promise<Store> {
  if (!isPostgres(location)) assertStoreIn(location)
  return openTarget(location, logger)
}

/** Opens a store to write to it; an embedded one must not be in use, and is made where there is none. @throws StoreInUse */
export async function openTarget (location: Location, logger: Logger): Promise<Store> {
  if (isPostgres(location)) return openPostgres(location, logger)
  try {
    return await openLmdbStore({ path: location, sync: 'fsync', logger })
  } catch (error) {
    if (!(error instanceof StoreInUse)) throw error
    throw new StoreInUse(`A service is at work in ${location}, and an embedded store has one writer: stop the service, run this again, start it again. Reading (list, show, check, backup, export) goes on beside it`, { cause: error })
  }
}

/** @throws Error that says why PostgreSQL cannot be used, without any part of the URL */
async function openPostgres (url: string, logger: Logger): Promise<Store> {
  if (!isPostgresUrl(url)) throw new Error(`The store in PostgreSQL must be ${postgresUrlForm}`)
  return await openPostgresStore({ url, logger })
    .catch((cause: unknown) => { throw new Error(`PostgreSQL cannot be used: ${postgresFailure(cause)}`, { cause }) })
}

function assertStoreIn (folder: string): void {
  if (!holdsLmdbStore(folder)) throw new Error(`There is no store in ${folder}`)
}
