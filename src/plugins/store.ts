import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { InvalidSettings } from '../settings/invalid-settings.ts'
import { folderFailure } from '../store/lmdb/folder-failure.ts'
import { postgresFailure } from '../store/postgres/postgres-failure.ts'
import type { Store } from '../store/store.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly store: Store }
}

/** Adds `app.store`, the store that the settings name. Registered before all its users, so that it closes last. */
export default fp(async function store (app: FastifyInstance) {
  const store = await openStore(app)
  app.decorate('store', store)
  app.readiness.add('store', () => store.ping())
  app.addHook('onClose', () => store.close())
}, { name: 'store', dependencies: ['env', 'readiness'], fastify: '5.x' })

/**
 * Loads only the driver of the chosen store.
 * @throws InvalidSettings that names the setting if the store cannot be opened
 */
async function openStore ({ config, log }: FastifyInstance): Promise<Store> {
  const { DATABASE_URL, DATA_DIR, STORE_SYNC } = config
  if (DATABASE_URL === '') {
    const { openLmdbStore } = await import('../store/lmdb/lmdb-store.ts')
    return await openLmdbStore({ path: DATA_DIR, sync: STORE_SYNC, logger: log })
      .catch((cause: unknown) => { throw new InvalidSettings(`DATA_DIR cannot be used: ${folderFailure(cause)} (${DATA_DIR})`, { cause }) })
  }
  const { openPostgresStore } = await import('../store/postgres/postgres-store.ts')
  return await openPostgresStore({ url: DATABASE_URL, logger: log })
    .catch((cause: unknown) => { throw new InvalidSettings(`DATABASE_URL cannot be used: ${postgresFailure(cause)}`, { cause }) })
}
