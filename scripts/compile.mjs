// Compiles the sources and the tests, file by file, so that no test process spends its time on TypeScript.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Inside the project, so that the compiled files find its packages. */
export const compiled = join(root, '.tap/compiled')

/** The compiled file of a source, both relative to the root of the project. */
export const compiledPath = (source) => join(relative(root, compiled), source.replace(/\.ts$/, '.js'))

/** Bundles nothing: packages stay imports, and files import each other by their new names. */
const keepFilesApart = {
  name: 'keep-files-apart',
  setup ({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined
      return { path: path.startsWith('.') ? path.replace(/\.ts$/, '.js') : path, external: true }
    })
  },
}

/**
 * Packages of many modules, which load in a fraction of the time if bundled. Nearly every test imports tap and typebox;
 * the others are those with which the service starts.
 */
const largePackages = [
  'tap', 'typebox', 'fastify', '@fastify/cors', '@fastify/env', '@fastify/type-provider-typebox', '@fastify/websocket',
  'jose', 'pg', 'prom-client', 'redis',
]

/** Loads its workers by path, so it stays outside; pg requires its native client only if it is asked to. */
const keptOutside = ['pino', 'pg-native']

/**
 * Bundles the large packages into `.tap/compiled/node_modules`, where the compiled files find them first. What two of
 * them share is loaded once.
 * @returns the files
 */
async function bundlePackages () {
  const folder = join(compiled, 'node_modules')
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: largePackages.map((name) => ({ in: `${packagePrefix}${name}`, out: `${name}/index` })),
    outdir: folder,
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: keptOutside,
    plugins: [exportByName],
    // Most of the packages are CommonJS.
    banner: { js: "import { createRequire as createRequireHere } from 'node:module'; const require = createRequireHere(import.meta.url);" },
    logLevel: 'error',
  })
  const manifests = largePackages.map((name) => {
    const contents = Buffer.from(JSON.stringify({ name, type: 'module', exports: './index.js' }))
    return { path: join(folder, name, 'package.json'), contents }
  })
  return [...outputFiles, ...manifests]
}

const packagePrefix = 'package:'

/** Exports by name what Node finds in a package: esbuild alone gives a CommonJS package one default export. */
const exportByName = {
  name: 'export-by-name',
  setup ({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^${packagePrefix}`) }, ({ path }) => {
      return { path: path.slice(packagePrefix.length), namespace: 'package' }
    })
    onLoad({ filter: /.*/, namespace: 'package' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => name !== 'module.exports')
      return { contents: `export { ${names.join(', ')} } from '${path}'`, resolveDir: root }
    })
  },
}

/** Compiles src, test, bench and scripts to `.tap/compiled`; types are not checked. Writes only what has changed. */
export async function compileAll () {
  const entryPoints = (await Promise.all(['src', 'test', 'bench', 'scripts'].map(sourcesIn))).flat()
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: compiled,
    outbase: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    plugins: [keepFilesApart],
    logLevel: 'error',
  })
  await mkdir(compiled, { recursive: true })
  // Tells Node that the files are modules, and holds the version that the service reports.
  await copyFile(join(root, 'package.json'), join(compiled, 'package.json'))
  const files = [...outputFiles, ...await bundlePackages()]
  await Promise.all(files.map(async ({ path, contents }) => {
    const before = await readFile(path).catch(() => undefined)
    if (before?.equals(contents)) return
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, contents)
  }))
  await removeOthers(new Set(files.map(({ path }) => path)))
}

/** All TypeScript files of a folder, relative to the root of the project. */
export async function sourcesIn (folder) {
  const names = await readdir(join(root, folder), { recursive: true })
  return names.filter((name) => name.endsWith('.ts') && !name.includes('node_modules')).map((name) => join(folder, name))
}

/** Removes what was compiled from files that no longer exist, and bundles of earlier versions. */
async function removeOthers (current) {
  for (const folder of ['src', 'test', 'bench', 'scripts', 'node_modules']) {
    for (const name of await readdir(join(compiled, folder), { recursive: true })) {
      const path = join(compiled, folder, name)
      if (/\.js(\.map)?$/.test(name) && !current.has(path)) await rm(path)
    }
  }
}
