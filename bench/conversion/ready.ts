import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Figure, medianOf } from './figures.ts'

const limitMs = 150

/**
 * Measures the time until conversion is ready, with the built modules loaded and the first document converted: in a
 * new process, in a new thread of a running service, and in BlockNote.
 * @param dist folder of the built service
 */
export function measureReady (dist: string, rounds: number): Figure[] {
  const measure = (what: string) => {
    const runs = Array.from({ length: rounds }, () => start(what, dist))
    return { ms: medianOf(runs.map(({ ms }) => ms)), megabytes: medianOf(runs.map(({ megabytes }) => megabytes)) }
  }
  const [ours, thread, blockNote] = [measure('process'), measure('thread'), measure('blocknote')]
  return [
    { name: 'modules loaded and first document converted, in a new process', value: ours.ms, unit: 'ms', limit: limitMs },
    { name: 'the same in a new thread of a running service', value: thread.ms, unit: 'ms', limit: limitMs },
    { name: 'the same with BlockNote', value: blockNote.ms, unit: 'ms' },
    { name: 'memory of the process', value: ours.megabytes, unit: 'MB' },
    { name: 'memory of the process with BlockNote', value: blockNote.megabytes, unit: 'MB' },
  ]
}

function start (what: string, dist: string): { ms: number, megabytes: number } {
  const answer = execFileSync(process.execPath, [join(import.meta.dirname, 'start.js'), what, dist], { encoding: 'utf8' })
  // start.js prints exactly this shape.
  return JSON.parse(answer) as { ms: number, megabytes: number }
}
