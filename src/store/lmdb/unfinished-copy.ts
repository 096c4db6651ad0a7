import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncPath } from './data-file.ts'
import { hasOwner, StoreInUse } from './owner.ts'

const PREFIX = 'unfinished-copy-'

/** A copy without an owner may be one that has only just begun. */
const BEGINNING_MS = 60_000

/** How a link fails where the file system knows none. */
const NO_LINKS = new Set<string | undefined>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Where a copy is made, within the folder it is for; each has a name of its own. */
export const newUnfinishedCopy = (folder: string): string => join(folder, `${PREFIX}${randomUUID()}`)

/**
 * Removes what copies have left that did not get to their end. It may be half a file, which LMDB does not survive: nothing is opened.
 * @throws StoreInUse where one is still being made
 */
export async function removeUnfinishedCopies (folder: string): Promise<void> {
  if (!existsSync(folder)) return
  for (const name of await readdir(folder)) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(folder, name)
    try {
      if (await hasOwner(path)) throw new StoreInUse(`Another copy is being written to ${path}`)
      if (Date.now() - (await stat(path)).mtimeMs > BEGINNING_MS) await rm(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Gives a file its name, unless there is one of that name, and has both on the disk. @throws StoreInUse where there is one */
export async function putInPlace (from: string, to: string): Promise<void> {
  await syncPath(from)
  try {
    await link(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw alreadyThere(to, error)
    // A file system without links, as network shares and memory sticks are: here a store that comes within this moment is not seen.
    if (!NO_LINKS.has(code)) throw error
    if (existsSync(to)) throw alreadyThere(to, error)
    await rename(from, to)
  }
  await syncPath(dirname(to))
}

const alreadyThere = (file: string, cause: unknown): StoreInUse =>
  new StoreInUse(`There is a store in ${dirname(file)} already, made while this copy was: it is left as it is`, { cause })
