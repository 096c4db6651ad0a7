import type { Environment } from '../settings/prepare.ts'
import { version } from '../settings/version.ts'
import { UsageError } from './command.ts'
import { Console } from './console.ts'
import type { Output } from './output.ts'
import { parseArguments } from './parse-arguments.ts'
import { reasonOf } from './reason.ts'
import { usage, usageOf } from './usage.ts'

/** The surroundings of a command. */
export interface Surroundings {
  /** Receives the results. */
  readonly out: Output
  /** Receives everything else: notes, errors and the progress. */
  readonly err: Output
  /** The variables that name the service's store. */
  readonly env: Environment
}

/**
 * Runs one command line, and prints its errors.
 * @param args the arguments after the name of the program
 * @returns the exit code: 0 for success, 1 for a failure or a fault found, 2 for a wrong command line
 */
export async function runCommand (args: readonly string[], { out, err, env }: Surroundings): Promise<number> {
  const console = new Console(out, err)
  try {
    const invocation = parseArguments(args)
    switch (invocation.type) {
      case 'version':
        console.print(version)
        return 0
      case 'help':
        console.print(usageFor(invocation.command))
        return 0
      case 'run':
        return await invocation.command.run({ ...invocation.arguments, console, env }) === 0 ? 0 : 1
    }
  } catch (error) {
    const isUsage = error instanceof UsageError
    console.note(isUsage ? `${error.message}\n\n${usageFor(error.command)}` : reasonOf(error))
    return isUsage ? 2 : 1
  }
}

function usageFor (command: string | undefined): string {
  return command === undefined ? usage() : usageOf(command)
}
