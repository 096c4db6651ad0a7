// Installs the packages of package-lock.json, unless they are there already. Runs before anything is installed, so it uses nothing but Node.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The packages that a lockfile names, as path → version. npm leaves its own lockfile in node_modules to say what is there. */
function locked (path) {
  const { packages } = JSON.parse(readFileSync(path, 'utf8'))
  return new Map(Object.entries(packages).filter(([name]) => name !== '').map(([name, { version, optional }]) => [name, { version, optional }]))
}

function isInstalled () {
  const there = `${root}node_modules/.package-lock.json`
  if (!existsSync(there)) return false
  const installed = locked(there)
  return [...locked(`${root}package-lock.json`)].every(([name, { version, optional }]) => optional || installed.get(name)?.version === version)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Node 20.19 or later is needed; this is ${process.versions.node}\n`)
  process.exit(1)
}

if (lstatSync(`${root}node_modules`, { throwIfNoEntry: false })?.isSymbolicLink()) {
  process.stdout.write('node_modules is a link: its packages are left as they are\n') // npm would empty the folder behind it
} else if (!isInstalled()) {
  process.stdout.write('Installing packages (npm ci)\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' })
  // Whoever imports this goes on where it worked.
  if (status !== 0) process.exit(status ?? 1)
}
