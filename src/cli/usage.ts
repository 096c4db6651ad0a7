import { commands } from './commands.ts'
import type { Command } from './command.ts'
import { options, shownOption, type OptionName } from './options.ts'

/** The overview of all commands. */
export function usage (): string {
  const rows = [...commands].map(([name, command]) => [synopsis(name, command), command.summary] as const)
  return `y-provider manages the documents that the service stores.

${table([...rows, ['help [command]', 'explains a command and its options']])}

${table((['help', 'version'] as const).map(described))}

Exit code: 0 for success, 1 for a failure or a fault found, 2 for a wrong command line.`
}

/** The usage of one command. @param name an unknown one gives the overview */
export function usageOf (name: string): string {
  const command = commands.get(name)
  if (command === undefined) return usage()
  return `y-provider ${synopsis(name, command)}
${name} ${command.summary}.

${command.details}

${table([...command.options, 'help' as const].map(described))}`
}

const described = (name: OptionName): readonly [string, string] => [shownOption(name), options[name].summary]

function synopsis (name: string, { operands, required = [] }: Command): string {
  return [name, ...required.map(shownOption), ...operands === undefined ? [] : [operands.shown]].join(' ')
}

/** Formats two columns; the second begins after the longest entry of the first. */
function table (rows: ReadonlyArray<readonly [string, string]>): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
