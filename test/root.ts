import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project, whether this module runs from source or compiled: the nearest one with a lock file. */
export const rootUrl: URL = findRoot(new URL('./', import.meta.url))

/** The path of the project's folder, with a slash at its end. */
export const root: string = fileURLToPath(rootUrl)

function findRoot (folder: URL): URL {
  if (existsSync(new URL('package-lock.json', folder))) return folder
  const parent = new URL('../', folder)
  if (parent.href === folder.href) throw new Error('No folder above the tests has a package-lock.json')
  return findRoot(parent)
}
