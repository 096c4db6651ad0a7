import { formats } from './formats.ts'

/** One option of the command line. */
interface Option {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** The value as the usage shows it. */
  readonly value?: string
  readonly summary: string
}

/** Every option of all commands, by its name. */
export const options = {
  store: { type: 'string', value: '<store>', summary: 'a folder or postgres://…; default: the store of the service (DATABASE_URL, DATA_DIR)' },
  from: { type: 'string', value: '<store>', summary: 'the store to copy from' },
  to: { type: 'string', value: '<store or folder>', summary: 'the destination' },
  format: { type: 'string', value: `<${[...formats.keys()].join(' | ')}>`, summary: 'the format of the files; yjs, the default, keeps everything' },
  overwrite: { type: 'boolean', summary: 'writes into a folder that already holds an export' },
  merge: { type: 'boolean', summary: 'merges files into existing documents' },
  json: { type: 'boolean', summary: 'prints JSON for programs' },
  help: { type: 'boolean', short: 'h', summary: 'prints the usage of a command' },
  version: { type: 'boolean', summary: 'prints the version' },
} as const satisfies Record<string, Option>

/** The name of an option. */
export type OptionName = keyof typeof options

/** The values of the options that were given. */
export interface OptionValues {
  readonly store?: string
  readonly from?: string
  readonly to?: string
  readonly format?: string
  readonly overwrite?: boolean
  readonly merge?: boolean
  readonly json?: boolean
  readonly help?: boolean
  readonly version?: boolean
}

/** An option as the usage shows it: `--to <folder>`. */
export function shownOption (name: OptionName): string {
  const option: Option = options[name]
  const long = option.value === undefined ? `--${name}` : `--${name} ${option.value}`
  return option.short === undefined ? long : `-${option.short}, ${long}`
}
