import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { open } from 'lmdb'
import { pageBytes, type LmdbTree } from './tree.ts'

const treeOptions = { noSubdir: true, encoding: 'binary', keyEncoding: 'binary', pageSize: pageBytes } as const

/**
 * Each of the first two pages describes the file after one of the last two transactions (`MDB_meta` in LMDB's mdb.c).
 * Offsets are bytes from the start of the page.
 */
const magic = 0xbeefc0de
const magicOffset = 24
const lastPageOffset = 144
const metaBytes = 152

/** The options in which data files differ. */
type FileOptions = Omit<Parameters<typeof open>[0], keyof typeof treeOptions | 'path'>

/**
 * Opens a data file; creates it if it is missing.
 * @throws Error if the file is not LMDB's or is truncated, either of which LMDB would answer by killing the process
 */
export function openLmdbFile (path: string, options: FileOptions): LmdbTree {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) assertWhole(path)
  return open({ path, ...treeOptions, ...options })
}

/** The last page of the file that LMDB has ever used. */
export function lastPage (tree: LmdbTree): number {
  // Missing in lmdb's types; `getStats` has the same number and takes three times as long.
  const { env } = tree as unknown as { env: { info (): { lastPageNumber: number } } }
  return env.info().lastPageNumber
}

/**
 * Syncs a file, or the names in a folder, to the disk. Does nothing for a folder on a file system that cannot (EINVAL).
 */
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
    const pages = [0, pageBytes].map((page) => {
      const meta = Buffer.alloc(metaBytes)
      readSync(file, meta, 0, metaBytes, page)
      if (meta.readUInt32LE(magicOffset) !== magic) throw new Error(`${path} is not a store, or an incomplete one. Replace it with a backup, or move it away`)
      return Number(meta.readBigUInt64LE(lastPageOffset)) + 1
    })
    // Read after the pages: a service that uses the file may extend it meanwhile.
    const { size } = fstatSync(file)
    // After a power cut the later page can describe data that was never written; the other one is valid then.
    const least = Math.min(...pages) * pageBytes
    if (size < least) throw new Error(`${path} is truncated: it has ${size} bytes and needs ${least}. Replace it with a backup`)
  } finally {
    closeSync(file)
  }
}
