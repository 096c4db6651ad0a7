import { execFileSync } from 'node:child_process'
import type { Test } from 'tap'

/** Sets how large the files of this process can grow, in bytes or `unlimited`: a limit makes the disk look full. */
export type SetFileSizeLimit = (size: string) => void

/**
 * Prepares this process for a limit on the size of its files; the end of the test lifts it.
 * @throws if `prlimit` is missing (Debian's package util-linux)
 */
export function fileSizeLimit (t: Test): SetFileSizeLimit {
  const limit: SetFileSizeLimit = (size) => {
    execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`])
  }
  // The signal would end the runner; without it, a write beyond the limit fails with EFBIG.
  process.removeAllListeners('SIGXFSZ')
  process.on('SIGXFSZ', () => {})
  limit('unlimited')
  t.teardown(() => { limit('unlimited') })
  return limit
}
