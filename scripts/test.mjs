// Runs tests, each file in a process of its own: all of them, or those of the files and folders given. They are
// compiled once, and run without tap's loaders, which would take longer than most of the tests. Prints TAP.
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import t from 'tap'
import { compileAll, compiledPath, sourcesIn } from './compile.mjs'

const usage = 'npm test -- [-j FILES_AT_ONCE] [--timeout SECONDS] [FILE | FOLDER]...'
const { values: options, positionals } = readArguments({
  allowPositionals: true,
  options: {
    // Files that run at the same time: two more than there are cores, since many of them wait.
    jobs: { type: 'string', short: 'j', default: String(availableParallelism() + 2) },
    // The time limit of a file in seconds; 0: none. No test sets one: a busy machine would exceed it.
    timeout: { type: 'string', default: '900' },
  },
})
const jobs = wholeNumber('-j', options.jobs, 1)
const timeoutSeconds = wholeNumber('--timeout', options.timeout, 0)

/** Folders whose files take longest. They start first, so that the last files to run are short ones. */
const slowFolders = [
  'cluster', 'browser', 'documents', 'crash', 'bus', 'settings', 'nginx', 'django', 'routes', 'store', 'service', 'convert',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = positionals.map((path) => relative(root, resolve(path)))
process.chdir(root)
// Before the compilation, which can take longer than tap's own limit.
t.setTimeout(0)
await compileAll()

function readArguments (config) {
  try {
    return parseArgs(config)
  } catch (error) {
    return fail(`${error.message}\n${usage}`)
  }
}

function wholeNumber (option, text, least) {
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text)
  return fail(`${option} must be a whole number from ${least}, not ${JSON.stringify(text)}\n${usage}`)
}

function fail (line) {
  console.error(line)
  process.exit(2)
}

const isWanted = (file) => wanted.length === 0 || wanted.some((path) => file === path || file.startsWith(`${path}/`))
const rank = (file) => {
  const found = slowFolders.indexOf(file.split('/')[1])
  return found === -1 ? slowFolders.length : found
}
const files = (await sourcesIn('test')).filter((name) => name.endsWith('.test.ts') && isWanted(name))
const empty = wanted.filter((path) => !files.some((file) => file === path || file.startsWith(`${path}/`)))
if (empty.length > 0) fail(`No tests in ${empty.join(', ')}: paths are relative to the folder of the project`)

// They take a quarter of a second per file, so a whole run goes without: run its failing files again to see the lines.
const sourceMaps = wanted.length > 0 ? ['--enable-source-maps'] : []

t.jobs = jobs
t.plan(files.length)
for (const file of files.sort((a, b) => rank(a) - rank(b))) {
  // Without NODE_OPTIONS, in which tap asks Node for its loaders.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, ...sourceMaps, compiledPath(file)]
  const env = { ...process.env, TAP_TIMEOUT: '0' }
  t.spawn('env', command, { env, timeout: timeoutSeconds * 1000, buffered: true }, file)
}
