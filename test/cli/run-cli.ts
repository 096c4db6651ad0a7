import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { runCommand } from '../../src/cli/run-command.ts'
import { programArguments } from '../program.ts'

/** The exit code and the output of a command. */
export interface Finished {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command in this process, with only these variables. */
export async function cli (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCommand(args, {
    out: { write: (text) => out.push(text) },
    err: { write: (text) => err.push(text) },
    env,
  })
  return { code, out: out.join(''), err: err.join('') }
}

/** Runs a command in a process of its own, with only these variables. */
export async function cliProcess (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(process.execPath, [...programArguments('cli'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, out, err }
}
