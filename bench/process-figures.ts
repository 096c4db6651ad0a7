import { readFileSync, writeFileSync } from 'node:fs'

/** Clock ticks per second of /proc/<pid>/stat; Linux fixes USER_HZ at 100 on every platform Node runs on. */
const ticksPerSecond = 100

/**
 * CPU seconds that a process has used so far, user and system, all threads (ended ones too).
 * @throws if the process has ended
 * @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html fields 14 and 15
 */
export function readCpuSeconds (pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the name in brackets and can contain blanks; counting starts after it, at field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Resident memory of a process in bytes. */
export interface ResidentBytes {
  /** All of it */
  now: number
  /** The peak since the start, or since `forgetPeak` */
  peak: number
  /** Its own: without mapped files, which are the system's cache and can be evicted */
  own: number
}

/** @throws if the process has ended */
export function readResidentBytes (pid: number): ResidentBytes {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN) * 1024
  return { now: read('VmRSS'), peak: read('VmHWM'), own: read('RssAnon') + read('RssShmem') }
}

/**
 * Resets the peak of a process to its current memory.
 * @see https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
 */
export function forgetPeak (pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
