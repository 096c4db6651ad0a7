import { parseArgs } from 'node:util'
import { WrongCall, type Call, type Command } from './command.ts'
import { commands } from './commands.ts'
import { nearest } from './nearest.ts'
import { options, type OptionName, type OptionValues } from './options.ts'

/** What somebody wants of the command line. */
export type Wish =
  | { readonly type: 'run', readonly command: Command, readonly call: Call }
  /** `command` undefined: the overview */
  | { readonly type: 'help', readonly command?: string }
  | { readonly type: 'version' }

const isOption = (name: string): name is OptionName => Object.hasOwn(options, name)

/**
 * Reads the arguments of the process.
 * @throws WrongCall for a command, an option or an operand that is unknown, missing or too many
 */
export function parseCall (args: readonly string[]): Wish {
  // Not strict: its messages cannot name what was probably meant.
  const { tokens } = parseArgs({ args: [...args], options: { ...options }, allowPositionals: true, strict: false, tokens: true })
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
  return { type: 'run', command, call: { operands, options: values } }
}

/** @throws WrongCall where there is no such command */
function find (name: string): Command {
  const command = commands.get(name)
  if (command === undefined) throw new WrongCall(`There is no command ${name}${guess(nearest(name, [...commands.keys(), 'help']))}`)
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
    if (!isOption(option)) throw new WrongCall(`There is no option ${rawName}${guess(nearest(option, Object.keys(options)), '--')}`, name)
    const { type } = options[option]
    if (type === 'boolean') {
      if (value !== undefined) throw new WrongCall(`${rawName} takes no value`, name)
      values[option] = true
    } else {
      if (value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'))) throw new WrongCall(`${rawName} needs a value`, name)
      values[option] = value
    }
  }
  return values
}

/** @throws WrongCall where a command was given what it does not take, or not what it needs */
function check (name: string, { operands: wanted, options: taken, required = [] }: Command, operands: readonly string[], values: OptionValues): void {
  const strange = Object.keys(values).find((option) => !taken.some((known) => known === option))
  if (strange !== undefined) throw new WrongCall(`${name} takes no --${strange}`, name)
  const missing = required.find((option) => values[option] === undefined)
  if (missing !== undefined) throw new WrongCall(`${name} needs --${missing}`, name)
  if (operands.length < (wanted?.least ?? 0)) throw new WrongCall(`${name} needs ${wanted?.what ?? ''}`, name)
  const most = wanted?.most ?? 0
  if (operands.length > most) throw new WrongCall(`${name} cannot take ${operands[most] ?? ''}: ${wanted === undefined ? 'it takes options only' : `it takes ${wanted.what}`}`, name)
}

const guess = (name: string | undefined, prefix = ''): string => name === undefined ? '' : `: did you mean ${prefix}${name}?`
