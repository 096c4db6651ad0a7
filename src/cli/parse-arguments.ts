import { parseArgs } from 'node:util'
import { UsageError, type Arguments, type Command } from './command.ts'
import { commands } from './commands.ts'
import { nearest } from './nearest.ts'
import { options, type OptionName, type OptionValues } from './options.ts'

/** A command line, understood. */
export type Invocation =
  | { readonly type: 'run', readonly command: Command, readonly arguments: Arguments }
  /** `command` undefined: the overview. */
  | { readonly type: 'help', readonly command?: string }
  | { readonly type: 'version' }

const isOption = (name: string): name is OptionName => Object.hasOwn(options, name)

/**
 * Reads the arguments of the process.
 * @throws UsageError for an unknown, missing or surplus command, option or operand
 */
export function parseArguments (args: readonly string[]): Invocation {
  // Not strict: the messages of strict parsing cannot suggest a similar name.
  const {
    tokens,
  } = parseArgs({ args: [...args], options: { ...options }, allowPositionals: true, strict: false, tokens: true })
  const [name, ...operands] = tokens.flatMap((token) => token.kind === 'positional' ? [token.value] : [])
  const command = name === undefined || name === 'help' ? undefined : find(name)
  const values = readOptions(tokens.filter((token) => token.kind === 'option'), name)
  if (values.version === true) return { type: 'version' }
  if (name === 'help' && operands[0] !== undefined) {
    find(operands[0])
    return { type: 'help', command: operands[0] }
  }
  if (name === undefined || command === undefined) return { type: 'help' }
  if (values.help === true) return { type: 'help', command: name }
  check(name, command, operands, values)
  return { type: 'run', command, arguments: { operands, options: values } }
}

/** @throws UsageError for an unknown command */
function find (name: string): Command {
  const command = commands.get(name)
  if (command === undefined) throw new UsageError(`Unknown command ${name}${guess(nearest(name, [...commands.keys(), 'help']))}`)
  return command
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function readOptions (tokens: readonly OptionToken[], name: string | undefined): OptionValues {
  const values: Record<string, string | boolean> = {}
  for (const { name: option, rawName, value, inlineValue } of tokens) {
    if (!isOption(option)) throw new UsageError(`Unknown option ${rawName}${guess(nearest(option, Object.keys(options)), '--')}`, name)
    const { type } = options[option]
    if (type === 'boolean') {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`, name)
      values[option] = true
    } else {
      if (value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'))) throw new UsageError(`${rawName} needs a value`, name)
      values[option] = value
    }
  }
  return values
}

/** @throws UsageError for arguments that the command does not take or lacks */
function check (
  name: string,
  { operands: wanted, options: taken, required = [] }: Command,
  operands: readonly string[],
  values: OptionValues
): void {
  const strange = Object.keys(values).find((option) => !taken.some((known) => known === option))
  if (strange !== undefined) throw new UsageError(`${name} takes no --${strange}`, name)
  const missing = required.find((option) => values[option] === undefined)
  if (missing !== undefined) throw new UsageError(`${name} needs --${missing}`, name)
  if (operands.length < (wanted?.least ?? 0)) throw new UsageError(`${name} needs ${wanted?.noun ?? ''}`, name)
  const most = wanted?.most ?? 0
  if (operands.length > most) throw new UsageError(`${name} cannot take ${operands[most] ?? ''}: ${wanted === undefined ? 'it takes options only' : `it takes ${wanted.noun}`}`, name)
}

const guess = (name: string | undefined, prefix = ''): string => name === undefined ? '' : `: did you mean ${prefix}${name}?`
