import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of a given size, in memory. Only root can mount one. */
export interface SmallDisk {
  readonly path: string
  resize (mebibytes: number): void
  unmount (): void
}

/** @throws if the mount is refused; the message gives the reason */
export function mountSmallDisk (mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'y-small-disk-'))
  run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path])
  return {
    path,
    resize: (size) => { run('mount', ['-o', `remount,size=${size}m`, path]) },
    unmount: () => {
      // Lazily: a service left behind by a failed test must not keep the folder from being removed.
      run('umount', ['--lazy', path])
      rmdirSync(path)
    },
  }
}

function run (command: string, args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
