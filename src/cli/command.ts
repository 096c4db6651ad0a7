import type { Environment } from '../settings/prepare.ts'
import type { Console } from './console.ts'
import type { OptionName, OptionValues } from './options.ts'

/** The arguments of a command, as the command line has them. */
export interface Arguments {
  readonly operands: readonly string[]
  readonly options: OptionValues
}

/** One run of a command. */
export interface Call extends Arguments {
  readonly console: Console
  readonly env: Environment
}

/** The words after a command that are not options. */
export interface Operands {
  /** As the usage shows them: `<name …>` */
  readonly shown: string
  /** As a sentence names them: `the name of a document` */
  readonly noun: string
  readonly least: number
  readonly most: number
}

/** One command of the command line. */
export interface Command {
  readonly summary: string
  /** The help of this command beyond the summary. */
  readonly details: string
  readonly operands?: Operands
  /** Options without which the command cannot run. */
  readonly required?: readonly OptionName[]
  readonly options: readonly OptionName[]
  /** @returns the number of failures and faults */
  run (call: Call): Promise<number>
}

/** The command line is wrong: an unknown, missing or surplus command, option or operand. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** The command whose usage to show; undefined: that of all commands. */
  readonly command: string | undefined

  constructor (message: string, command?: string) {
    super(message)
    this.command = command
  }
}
