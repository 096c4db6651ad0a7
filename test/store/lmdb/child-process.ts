import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { moduleArguments } from '../../program.ts'
import { once } from 'node:events'

export interface StoreChild {
  readonly process: ChildProcess
  readonly lines: Interface
}

/** The child's first compactions of a document set aside one update each: fewer than the limit of a document. */
export const compactionsWithSetAside = 900

/** Starts `child.ts` and waits until its store is open. */
export async function startChild (path: string, sync: 'process' | 'fsync'): Promise<StoreChild> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, [...moduleArguments(import.meta.url, 'child'), path, sync], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const lines = createInterface({ input: child.stdout })
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit').then(([code]) => { throw new Error(`The child ended with ${code} before it was open`) })])
  if (first[0] !== 'open') throw new Error(`The child said ${first[0]}`)
  return { process: child, lines }
}
