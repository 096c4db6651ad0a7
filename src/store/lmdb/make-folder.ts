import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Creates a folder and its parents if they are missing. Node's own `recursive` never ends in folders such as /proc,
 * where the kernel reports an existing parent as missing.
 * @returns the outermost folder that it created; undefined if none was missing
 * @throws an error of fs with a code: the path is a file, forbidden, too long …
 */
export async function makeFolder (path: string): Promise<string | undefined> {
  try {
    await mkdir(path)
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw error
    const made = await makeFolder(parent)
    await mkdir(path).catch(ignoreExisting)
    return made ?? path
  }
}

/** Another process may have created it first. */
function ignoreExisting (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
