import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { root } from '../root.ts'

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

interface Locked { readonly version?: string, readonly dev?: boolean, readonly optional?: boolean }

type Packages = Readonly<Record<string, Locked>>

const read = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T
const { packages } = read<{ packages: Packages }>('package-lock.json')

// Two copies of yjs do not recognize each other's types.
t.test('Exactly one copy each of yjs, y-protocols and lib0 is installed', async (t) => {
  for (const name of ['yjs', 'y-protocols', 'lib0']) {
    const paths = Object.keys(packages).filter((path) => path.endsWith(`node_modules/${name}`))
    t.same(paths, [`node_modules/${name}`])
  }
})

t.test('The demo requires the same versions as the root', async (t) => {
  const { dependencies, devDependencies } = read<Manifest>('package.json')
  const demo = read<Manifest>('demo/package.json').dependencies
  const inRoot: Readonly<Record<string, string>> = { ...dependencies, ...devDependencies }
  for (const [name, range] of Object.entries(demo)) t.equal(range, inRoot[name], name)
})

/** A project whose npm only records its arguments; `install` returns them. `installed` is in its node_modules. */
function projectWith (t: Test, installed?: Packages): { install: (...args: string[]) => string } {
  const folder = t.testdir()
  mkdirSync(join(folder, 'scripts'))
  mkdirSync(join(folder, 'bin'))
  for (const name of ['install.mjs', 'packages.mjs']) cpSync(join(root, 'scripts', name), join(folder, 'scripts', name))
  cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'))
  const calls = join(folder, 'calls')
  writeFileSync(join(folder, 'bin/npm'), `#!/bin/sh\necho "$@" >> '${calls}'\n`)
  chmodSync(join(folder, 'bin/npm'), 0o755)
  if (installed !== undefined) {
    mkdirSync(join(folder, 'node_modules'))
    writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }))
  }
  return {
    install: (...args) => {
      const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }
      const { status } = spawnSync(process.execPath, [join(folder, 'scripts/install.mjs'), ...args], { env })
      t.equal(status, 0)
      return existsSync(calls) ? readFileSync(calls, 'utf8') : ''
    },
  }
}

const isNeeded = ({ dev, optional }: Locked): boolean => dev !== true && optional !== true
const ofDemo = Object.fromEntries(Object.entries(packages).filter(([, locked]) => isNeeded(locked)))
const quiet = '--no-audit --no-fund --loglevel=error'

t.test('In a fresh clone make dev installs no devDependencies, and make install installs everything', async (t) => {
  const demoOnly = `ci ${quiet} --omit=dev --workspace=demo --include-workspace-root\n`
  t.equal(projectWith(t).install('demo'), demoOnly)
  t.equal(projectWith(t).install(), `ci ${quiet}\n`)
  const count = Object.keys(ofDemo).length
  t.ok(count < 200, `${count} packages`)
})

t.test('Packages installed by make dev are kept when the rest is added', async (t) => {
  t.equal(projectWith(t, ofDemo).install('demo'), '')
  t.equal(projectWith(t, ofDemo).install(), `install --no-save ${quiet}\n`)
  t.equal(projectWith(t, packages).install('demo'), '')
  t.equal(projectWith(t, packages).install(), '')
})

t.test('A package of another version is installed again', async (t) => {
  const outdated = { ...packages, 'node_modules/yjs': { version: '13.0.0' } }
  const added = projectWith(t, outdated).install('demo')
  t.equal(added, `install --no-save ${quiet} --omit=dev --workspace=demo --include-workspace-root\n`)
})
