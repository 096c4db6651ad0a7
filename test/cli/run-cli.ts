import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'

const script = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** Runs the command line in a process of its own, with nothing in its environment but what is given. */
export async function cli (args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number, out: string, err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, out, err }
}
