/** The order in which a backup syncs and names its files, as the system sees it. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLmdbStore } from '../../src/store/lmdb/lmdb-store.ts'
import { requireProgram } from '../processes.ts'
import { quiet } from '../store/quiet-logger.ts'
import { programArguments } from '../program.ts'

const strace = '/usr/bin/strace'

async function backUp (
  t: Test,
  ...options: readonly string[]
): Promise<{ to: string, trace: string, printed: string }> {
  requireProgram(strace, 'strace')
  const folder = await mkdtemp(join(tmpdir(), 'y-backup-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const from = join(folder, 'from')
  const store = await openLmdbStore({ path: from, sync: 'process', logger: quiet })
  await store.append([{ document: 'plan', update: new Uint8Array([0, 0]) }])
  await store.close()
  const to = join(folder, 'new', 'copy')
  const trace = join(folder, 'trace')
  const { stdout, stderr } = spawnSync(strace, ['-f', '-y', '-o', trace, '-e', 'trace=link,linkat,rename,renameat,renameat2,fsync,openat', ...options, process.execPath, ...programArguments('cli'), 'backup', to, '--store', from], { encoding: 'utf8' })
  return { to, trace: await readFile(trace, 'utf8'), printed: stdout + stderr }
}

await t.test('The file is synced before it gets its final name, and its folders after that', async (t) => {
  const { to, trace } = await backUp(t)
  // In order, whichever thread makes the calls; strace can split a line in two, so only the beginnings count.
  const steps = trace.split('\n').flatMap((line) => /^\d+ +((?:fsync|link)\(.*)/.exec(line)?.[1] ?? [])
  const named = steps.findIndex((call) => call.startsWith('link(') && call.includes(`"${to}/documents.mdb"`))
  t.ok(named > 0)
  t.match(steps[named - 1], /^fsync\(.*unfinished-copy-.*\/documents\.mdb>\)/)
  const after = steps.slice(named + 1).join('\n')
  for (const folder of [to, join(to, '..'), join(to, '../..')]) t.ok(after.includes(`<${folder}>)`), folder)
})

await t.test('A backup works on a file system without hard links, or that cannot sync folders', async (t) => {
  t.match((await backUp(t, '-e', 'inject=link,linkat:error=EPERM', '-e', 'inject=fsync:error=EINVAL')).printed, /1 document, 2 bytes, 0 with a fault\nThe copy is in/)
})
