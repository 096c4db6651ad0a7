import type { OptionName, OptionValues } from './options.ts'

/** The arguments of a command; `options` holds the default of each option that is absent. */
export interface Call {
  readonly operands: readonly string[]
  readonly options: OptionValues
}

/** The words behind a command that are no options. */
export interface Operands {
  /** As the usage shows them: `<name …>` */
  readonly shown: string
  /** As a sentence names them: `the name of a document` */
  readonly what: string
  readonly least: number
  readonly most: number
}

/** One command of the command line. */
export interface Command {
  readonly summary: string
  /** What the help of this command says beyond the summary */
  readonly details: string
  readonly operands?: Operands
  /** Options without which the command cannot run */
  readonly required?: readonly OptionName[]
  readonly options: readonly OptionName[]
  /** @returns how many things went wrong */
  run (call: Call): Promise<number>
}

/** A call that no command understands: exit code 2. */
export class WrongCall extends Error {
  override readonly name = 'WrongCall'
  /** The command whose usage helps; that of all commands where it is undefined */
  readonly command: string | undefined

  constructor (message: string, command?: string) {
    super(message)
    this.command = command
  }
}
