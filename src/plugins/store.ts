import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { openLmdbStore } from '../store/lmdb-store.ts'
import { openPostgresStore } from '../store/postgres-store.ts'
import type { Store } from '../store/store.ts'

declare module 'fastify' {
  interface FastifyInstance { readonly store: Store }
}

/** Opens the store that the settings name. Registered before all that uses it, so that it closes last. */
export default fp(async function store (app: FastifyInstance) {
  const { DATABASE_URL, DATA_DIR, STORE_SYNC } = app.config
  const store: Store = DATABASE_URL === ''
    ? await openLmdbStore({ path: DATA_DIR, sync: STORE_SYNC, logger: app.log })
    : await openPostgresStore({ url: DATABASE_URL, logger: app.log })
  app.decorate('store', store)
  app.readiness.add('store', () => store.ping())
  app.addHook('onClose', () => store.close())
}, { name: 'store', dependencies: ['env', 'readiness'], fastify: '5.x' })
