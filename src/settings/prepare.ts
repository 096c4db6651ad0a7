import { readFileSync, statSync } from 'node:fs'
import { normaliseOrigin } from '../access/allowed-origins.ts'
import { InvalidSettings } from './invalid-settings.ts'
import { settingsSchema } from './schema.ts'

/** Variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What JSON Schema and its annotations say of one setting, as far as this folder reads it. */
export interface SettingSchema {
  readonly type?: string
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly format?: string
  readonly items?: SettingSchema
  readonly group?: string
  readonly unit?: string
  readonly zero?: string
  readonly secret?: boolean
}

/** Every setting with its schema, in the order in which they are documented. */
// The properties of a TypeBox object are JSON Schemas; SettingSchema only names keywords that are optional in each of them.
export const settings: ReadonlyArray<readonly [string, SettingSchema]> = Object.entries(settingsSchema.properties as Record<string, SettingSchema>)

/**
 * The known variables of `environment` as the schema wants them: blanks around values gone, empty ones left out (so that the default counts),
 * `NAME_FILE` read, lists split at commas, origins as browsers write them, words in small letters (Python writes `True`).
 * @throws InvalidSettings when a file cannot be read, or a secret is given twice
 */
export function prepare (environment: Environment): Record<string, unknown> {
  const prepared: Record<string, unknown> = {}
  for (const [name, schema] of settings) {
    const value = (schema.secret === true ? readSecret(environment, name) : environment[name])?.trim()
    if (value === undefined || value === '') continue
    prepared[name] = read(value, schema)
  }
  if (prepared.COLLABORATION_LOGGING === 'true') prepared.LOG_LEVEL ??= 'debug'
  return prepared
}

function readSecret (environment: Environment, name: string): string | undefined {
  const path = environment[`${name}_FILE`]?.trim()
  if (path === undefined || path === '') return environment[name]
  if ((environment[name]?.trim() ?? '') !== '') throw new InvalidSettings(`${name} and ${name}_FILE are both set: remove ${name} to use the file, or ${name}_FILE to use the value`)
  const content = readText(path, `${name}_FILE`)
  if (content === '') throw new InvalidSettings(`${name}_FILE is empty: ${path}`)
  return content
}

function readText (path: string, name: string): string {
  try {
    // A pipe or a device could be read for ever.
    if (statSync(path).isFile()) return readFileSync(path, 'utf8').trim()
  } catch (error) {
    // Every error of fs carries a code; the message would repeat the path a second time.
    throw new InvalidSettings(`${name} cannot be read: ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new InvalidSettings(`${name} is not a file: ${path}`)
}

function read (value: string, schema: SettingSchema): unknown {
  if (schema.type === 'array') {
    const items = value.split(',').map((item) => item.trim()).filter((item) => item !== '')
    return schema.items?.format === 'origin' ? items.map(normaliseOrigin) : items
  }
  // JavaScript would take 0x10 and 1e3 for numbers too. NaN is none, so the schema refuses it.
  if (schema.type === 'integer') return /^\d+$/.test(value) ? Number(value) : NaN
  return schema.type === 'boolean' || schema.enum !== undefined || schema.format === 'trust-proxy' ? value.toLowerCase() : value
}
