import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { quiet } from '../store/quiet-logger.ts'

/** Opens the store at argv[2], writes there, and closes it. */
const store = await openLmdbStore({ path: process.argv[2] ?? '', sync: 'process', logger: quiet })
await store.close()
