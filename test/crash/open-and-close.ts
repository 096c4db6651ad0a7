import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { quiet } from '../store/quiet-logger.ts'

/** Opens the store in the folder argv[2], which writes there, and closes it. */
const [,, path] = process.argv
if (path === undefined) throw new Error('The folder of the store is missing')
const store = await openLmdbStore({ path, sync: 'process', logger: quiet })
await store.close()
