import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncPath } from './data-file.ts'
import { hasOwner, StoreInUse } from './owner.ts'

const prefix = 'unfinished-copy-'

/** Ms; a younger copy without an owner may just be starting. */
const startingMs = 60_000

/** The codes of a link that failed because the file system supports no links. */
const noLinkCodes = new Set<string | undefined>(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** A new path for an unfinished copy, inside the folder of the finished one. */
export const newUnfinishedCopy = (folder: string): string => join(folder, `${prefix}${randomUUID()}`)

/**
 * Removes the remains of copies that were interrupted. It opens no file: LMDB crashes on an incomplete one.
 * @throws StoreInUse if another copy is still being written
 */
export async function removeUnfinishedCopies (folder: string): Promise<void> {
  if (!existsSync(folder)) return
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue
    const path = join(folder, name)
    try {
      if (await hasOwner(path)) throw new StoreInUse(`Another copy is being written to ${path}`)
      if (Date.now() - (await stat(path)).mtimeMs > startingMs) await rm(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Gives a file its final name, and syncs both to the disk. @throws StoreInUse if a file of that name exists */
export async function putInPlace (from: string, to: string): Promise<void> {
  await syncPath(from)
  try {
    await link(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw alreadyThere(to, error)
    // Network shares and memory sticks support no links. A store that appears between the next two calls is lost.
    if (!noLinkCodes.has(code)) throw error
    if (existsSync(to)) throw alreadyThere(to, error)
    await rename(from, to)
  }
  await syncPath(dirname(to))
}

const alreadyThere = (file: string, cause: unknown): StoreInUse =>
  new StoreInUse(`There is a store in ${dirname(file)} already, created during this copy: it is left unchanged`, { cause })
