// Runs before anything is installed, so it imports only Node's own modules.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
/** npm lists here what it has installed, after the last package is in place. */
const installedList = `${modules}/.package-lock.json`
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
const withoutTools = ['--omit=dev', '--workspace=demo', '--include-workspace-root']

/**
 * Installs the packages of package-lock.json that are missing. Ends the process if Node is too old or npm fails.
 * @param {{ demoOnly?: boolean }} [options] `demoOnly`: only what the service and the workspace `demo` need
 */
export function installPackages ({ demoOnly = false } = {}) {
  checkNode()
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    // npm would delete the packages in the folder that the link names.
    process.stdout.write('node_modules is a link; leaving its packages as they are\n')
  } else if (!isInstalled(demoOnly)) {
    process.stdout.write('Installing packages\n')
    // `npm install` keeps the packages that are right, for a running `make dev`. After an interrupted first
    // installation the list is missing, and only `npm ci` replaces incomplete packages.
    const command = existsSync(installedList) ? ['install', '--no-save'] : ['ci']
    runNpm([...command, ...quiet, ...demoOnly ? withoutTools : []])
  }
}

function checkNode () {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or later is needed; this is ${process.versions.node}`)
}

function isInstalled (demoOnly) {
  if (!existsSync(installedList)) return false
  const installed = readPackages(installedList)
  return Object.entries(readPackages(fileURLToPath(new URL('../package-lock.json', import.meta.url))))
    // `dev` marks what only the root's devDependencies need; an optional package can be for another system.
    .filter(([path, { dev, optional }]) => path.startsWith('node_modules/') && !optional && !(demoOnly && dev))
    .every(([path, { version }]) => installed[path] !== undefined && installed[path].version === version)
}

/** Reads the packages of a lockfile, by path. */
const readPackages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages

function runNpm (args) {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const onWindows = process.platform === 'win32' // where npm is a batch file
  const { status } = spawnSync('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], shell: onWindows })
  if (status !== 0) process.exit(status ?? 1)
}

function fail (line) {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}
