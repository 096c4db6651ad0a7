import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import t, { type Test } from 'tap'
import { moduleArguments } from '../program.ts'
import { startChild } from '../store/lmdb/child-process.ts'
import { mountSmallDisk } from './small-disk.ts'

/**
 * Runs a process that opens the store on a small disk, which `prepare` has written to and which is full afterwards.
 * @returns how the process ended
 */
async function start (
  t: Test,
  prepare: (folder: string) => Promise<void>
): Promise<{ signal: string | null, status: number | null, stderr: string, names: string[] }> {
  const disk = mountSmallDisk(3)
  t.teardown(() => { disk.unmount() })
  await prepare(disk.path)
  fill(join(disk.path, 'filler'))
  const { NODE_OPTIONS: _, ...env } = process.env
  const { signal, status, stderr } = spawnSync(process.execPath, [...moduleArguments(import.meta.url, 'open-and-close'), disk.path], { encoding: 'utf8', env })
  return { signal, status, stderr, names: readdirSync(disk.path) }
}

function fill (path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4096))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

/** A store of a killed service, with its file as short as LMDB allows. */
async function killed (folder: string): Promise<void> {
  const child = await startChild(folder, 'process')
  for await (const line of child.lines) if (line === 'a 60') break
  child.process.kill('SIGKILL')
  await once(child.process, 'exit')
}

async function shortened (folder: string): Promise<void> {
  await killed(folder)
  const path = join(folder, 'documents.mdb')
  const tree = open({ path, noSubdir: true, encoding: 'binary', keyEncoding: 'binary', pageSize: 4096, readOnly: true })
  const { env } = tree as unknown as { env: { info (): { lastPageNumber: number } } }
  const size = (env.info().lastPageNumber + 1) * 4096
  await tree.close()
  truncateSync(path, size)
  t.equal(statSync(path).size, size)
}

const told = { signal: null, status: 1, stderr: /The store at .*documents\.mdb cannot be opened: the disk has no room for the records of a start \(ENOSPC/ }

if (process.getuid?.() !== 0 && process.env.CI === undefined) {
  t.comment('A small disk can only be mounted by root: run this file with sudo to test a full one.')
} else {
  t.test('A full disk without a store', async (t) => {
    const { names, ...outcome } = await start(t, async () => {})
    t.match(outcome, told)
    t.strictSame(names, ['filler'], 'no incomplete file remains')
  })
  t.test('A full disk, and no free space in the file', async (t) => {
    t.match(await start(t, shortened), told)
  })
  t.test('A full disk, no free space in the file and no lock file', async (t) => {
    t.match(await start(t, async (folder) => {
      await shortened(folder)
      rmSync(join(folder, 'documents.mdb-lock'))
    }), told)
  })
  t.test('A full disk, and the file left by a service that was killed', async (t) => {
    t.match(await start(t, killed), { signal: null, status: 0 })
  })
}
