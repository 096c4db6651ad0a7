import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** The files that a module imports, types included: `from '…'`, `import '…'` and `import('…')`. */
const specifier = /(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g

/**
 * Finds the folder of `src/` that a file belongs to. A file that lies in `src/` itself is its own folder.
 * @param {string} src absolute path of `src`
 * @param {string} file absolute path
 * @returns {string | undefined} such as `sync` or `app`; undefined outside `src`
 */
export function folderOf (src, file) {
  const path = relative(src, file)
  if (path.startsWith('..')) return undefined
  return path.split(sep)[0]?.replace(/\.ts$/, '')
}

/**
 * Resolves a relative import.
 * @param {string} importer absolute path of the file with the import
 * @param {string} path as written there
 * @returns {string} absolute path
 */
export const targetOf = (importer, path) => resolve(dirname(importer), path)

/**
 * Visits every relative import of a file, also of types, dynamic ones and those of `export … from`.
 * @param {(source: object, path: string, node: object) => void} visit called with the path as it is written
 */
export function visitImports (visit) {
  const check = (node) => {
    const path = node.source?.value
    if (typeof path === 'string' && path.startsWith('.')) visit(node.source, path, node)
  }
  return {
    ImportDeclaration: check,
    ExportNamedDeclaration: check,
    ExportAllDeclaration: check,
    ImportExpression: check,
    TSImportType: check,
  }
}

/**
 * Reads which files import which.
 * @param {string} folder absolute path
 * @returns {Map<string, string[]>} absolute paths, by importer
 */
export function readImports (folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
  return new Map(files.map((file) => [file, importsOf(file)]))
}

function importsOf (file) {
  return [...readFileSync(file, 'utf8').matchAll(specifier)]
    .map(([, path = '']) => targetOf(file, path))
    .filter((path) => existsSync(path))
}
