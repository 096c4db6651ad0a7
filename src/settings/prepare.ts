import { readFileSync, statSync } from 'node:fs'
import { normaliseOrigin } from '../access/allowed-origins.ts'
import { InvalidSettings } from './invalid-settings.ts'
import { settingsSchema } from './schema.ts'

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The keywords of a setting's JSON Schema that this folder reads. */
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

// The properties of a TypeBox object are JSON Schemas, and every keyword of SettingSchema is optional.
const properties = settingsSchema.properties as Record<string, SettingSchema>

/** Every setting with its schema, in the order of the documentation. */
export const settings: ReadonlyArray<readonly [string, SettingSchema]> = Object.entries(properties)

/**
 * Prepares the known variables of `environment` for the schema: trims values, leaves out empty ones (so that the
 * default counts), reads `NAME_FILE`, splits lists at commas, writes origins as browsers do, and lower-cases words
 * (Python writes `True`).
 * @throws InvalidSettings if a file cannot be read, or a secret is given twice
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
    // Reading a pipe or a device could never end.
    if (statSync(path).isFile()) return readFileSync(path, 'utf8').trim()
  } catch (error) {
    // Every error of fs has a code; its message would repeat the path.
    throw new InvalidSettings(`${name} cannot be read: ${path} (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new InvalidSettings(`${name} is not a file: ${path}`)
}

function read (value: string, schema: SettingSchema): unknown {
  if (schema.type === 'array') {
    const items = value.split(',').map((item) => item.trim()).filter((item) => item !== '')
    return schema.items?.format === 'origin' ? items.map(normaliseOrigin) : items
  }
  // JavaScript would accept 0x10 and 1e3 too. The schema rejects NaN.
  if (schema.type === 'integer') return /^\d+$/.test(value) ? Number(value) : NaN
  return schema.type === 'boolean' || schema.enum !== undefined || schema.format === 'trust-proxy' ? value.toLowerCase() : value
}
