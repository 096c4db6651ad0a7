import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { open } from 'lmdb'
import { PAGE_BYTES, type LmdbTree } from './transaction.ts'

const TREE = { noSubdir: true, encoding: 'binary', keyEncoding: 'binary', pageSize: PAGE_BYTES } as const

/** Each of the first two pages says of one of the last two transactions where it has left the file (`MDB_meta` in LMDB's mdb.c); here bytes from the start of the page. */
const MAGIC = 0xbeefc0de
const MAGIC_OFFSET = 24
const LAST_PAGE_OFFSET = 144
const META_BYTES = 152

/** How a data file is opened, besides what all share. */
type FileOptions = Omit<Parameters<typeof open>[0], keyof typeof TREE | 'path'>

/**
 * Opens a data file, which is made where there is none.
 * @throws where the file is none of LMDB's, or has been cut short: LMDB would not say so, but end the process by a signal
 */
export function openLmdbFile (path: string, options: FileOptions): LmdbTree {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) assertWhole(path)
  return open({ path, ...TREE, ...options })
}

/** The last page that LMDB has ever used of the file. `env` is missing in lmdb's types; `getStats` would tell the same, three times slower. */
export function lastPage (tree: LmdbTree): number {
  const { env } = tree as unknown as { env: { info (): { lastPageNumber: number } } }
  return env.info().lastPageNumber
}

/** Has a file, or the names in a folder, on the disk; a file system that cannot do that with folders (EINVAL, as network shares say) does what it does. */
export async function syncPath (path: string): Promise<void> {
  const opened = await openFile(path)
  try {
    await opened.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await opened.close()
  }
}

function assertWhole (path: string): void {
  const file = openSync(path, 'r')
  try {
    const pages = [0, PAGE_BYTES].map((page) => {
      const meta = Buffer.alloc(META_BYTES)
      readSync(file, meta, 0, META_BYTES, page)
      if (meta.readUInt32LE(MAGIC_OFFSET) !== MAGIC) throw new Error(`${path} is no store: something else has been written there, or half of one. Put a backup in its place, or move it away`)
      return Number(meta.readBigUInt64LE(LAST_PAGE_OFFSET)) + 1
    })
    // Taken after what the pages say: a service that is at work may make the file longer meanwhile.
    const { size } = fstatSync(file)
    // After a power cut the later of the two may speak of what was never written; the other holds then.
    const least = Math.min(...pages) * PAGE_BYTES
    if (size < least) throw new Error(`${path} has been cut short: it has ${size} bytes and needs ${least}. Put a backup in its place`)
  } finally {
    closeSync(file)
  }
}
