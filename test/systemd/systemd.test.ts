import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readSettings } from '../../src/plugins/env.ts'
import { settings } from '../../src/settings/prepare.ts'
import { requireProgram } from '../processes.ts'
import { rootUrl } from '../root.ts'

/**
 * Tests of examples/systemd without a running systemd: systemd accepts the unit, it is strict, and it fits the service.
 */

const program = '/usr/bin/systemd-analyze'
const folder = new URL('examples/systemd/', rootUrl)
const unit = readFileSync(new URL('y-provider.service', folder), 'utf8')
const environment = Object.fromEntries([...readFileSync(new URL('y-provider.env', folder), 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))
const filledIn = { ...environment, COLLABORATION_SERVER_SECRET: 'only-for-this-check-0123456789' }

/** Runs systemd-analyze on a unit whose program is this machine's Node. */
function analyze (directory: string, ...args: string[]): { status: number | null, output: string } {
  requireProgram(program, 'systemd')
  const { status, stdout, stderr } = spawnSync(program, [...args, join(directory, 'y-provider.service')], { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

const here = unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)

t.test('Systemd understands every line of the unit', async (t) => {
  const verify = (text: string) => analyze(t.testdir({ 'y-provider.service': text }), 'verify', '--man=no', '--recursive-errors=no')
  t.same(verify(here), { status: 0, output: '' })
  t.match(verify(here.replace('ProtectHome', 'ProtecHome')).output, /Unknown key 'ProtecHome'/, 'a misspelling is found')
})

t.test('The unit allows little: systemd rates its exposure at 2 of 10 at most', async (t) => {
  const { status, output } = analyze(t.testdir({ 'y-provider.service': here }), 'security', '--offline=true', '--threshold=20', '--no-pager')
  t.equal(status, 0, output.split('\n').filter((line) => line.startsWith('✗')).join('\n'))
})

t.test('The settings are known and accepted in production once the secret is filled in', async (t) => {
  const known = new Set(settings.map(([name]) => name))
  for (const name of Object.keys(environment)) t.ok(known.has(name), name)
  await t.rejects(readSettings(environment), /COLLABORATION_SERVER_SECRET is unsafe/, 'unchanged they do not start')
  const taken = await readSettings(filledIn)
  const number = (key: string) => Number(new RegExp(`^${key}=(\\d+)$`, 'm').exec(unit)?.[1])
  t.ok(number('TimeoutStopSec') > taken.SHUTDOWN_TIMEOUT_MS / 1000, 'there is enough time to stop')
  t.ok(number('LimitNOFILE') > taken.MAX_CONNECTIONS, 'there is a file descriptor for each connection')
  t.equal(taken.DATA_DIR, `/var/lib/${/^StateDirectory=(.*)$/m.exec(unit)?.[1]}`, 'the store is where the unit can write')
})

t.test('The unit starts what npm start does', async (t) => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', rootUrl), 'utf8')) as { scripts: { start: string } }
  t.equal(/^ExecStart=\/usr\/bin\/(.*)$/m.exec(unit)?.[1], scripts.start)
})
