import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '../root.ts'

const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
/** The paths of the map, in its order; folders end with a slash. */
const mapped = [...contributing.matchAll(/^((?:src|bench|demo|docs|examples|scripts|test)\/\S*) +\S/gm)].map(([, path = '']) => path)

const foldersIn = (path: string): string[] => readdirSync(join(root, path), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `${path}${name}/`)

t.test('The map of CONTRIBUTING.md names every folder and file of src, and no other', async (t) => {
  const files = readdirSync(join(root, 'src')).filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`)
  const folders = foldersIn('src/')
  const there = [...files, ...folders, ...folders.flatMap(foldersIn)]
  t.same(mapped.filter((path) => path.startsWith('src/')).sort(), there.sort())
})

t.test('The map has the order by which the linter checks imports', async (t) => {
  // As text: the configuration itself loads the whole linter.
  const list = /export const folders = \[([^\]]+)\]/.exec(readFileSync(join(root, 'eslint.config.js'), 'utf8'))?.[1]
  const folders = [...list?.matchAll(/'([^']+)'/g) ?? []].map(([, name]) => name)
  const inMap = mapped.filter((path) => path.startsWith('src/')).map((path) => path.split('/')[1]?.replace('.ts', ''))
  t.same([...new Set(inMap)], folders)
})

t.test('The map names every folder of test that has no counterpart in src', async (t) => {
  const mirrored = new Set(foldersIn('src/').map((path) => path.replace('src', 'test')))
  const own = foldersIn('test/').filter((path) => !mirrored.has(path))
  t.same(mapped.filter((path) => /^test\/./.test(path)).sort(), own.sort())
})

t.test('Every other folder in the map exists', async (t) => {
  for (const path of mapped) t.ok(path.endsWith('.ts') || readdirSync(join(root, path)).length > 0, path)
})
