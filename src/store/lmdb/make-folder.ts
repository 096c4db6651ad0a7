import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those above it, where they are missing. Node's own `recursive` never ends where the kernel reports a
 * missing parent although it is there, as /proc does.
 * @returns the first folder it made, undefined where none was missing
 * @throws an error of fs with a code: the path is taken by a file, forbidden, too long …
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

/** Another process may have been faster. */
function ignoreExisting (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
