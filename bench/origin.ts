import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'

/** The machine of the measurement, in one line. */
export function describeMachine (): string {
  const [cpu] = cpus()
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`
}

/** A checkout's commit, marked if files differ from it. */
export function describeCommit (folder: string): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-changed')
  } catch {
    return 'unknown'
  }
}
