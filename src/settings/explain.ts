import { formats } from './formats.ts'
import { settings, type Environment, type SettingSchema } from './prepare.ts'
import { isQuoted, quotedNote } from './quoted.ts'

/** The part of one of Ajv's findings that names the variable. */
export interface Finding {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

const schemas = new Map(settings)

/**
 * Describes Ajv's findings in one line that names each variable once. It never repeats a value, since it could be a
 * secret.
 */
export function explain (findings: readonly Finding[], environment: Environment): string {
  const lines = new Map<string, string>()
  for (const { instancePath, keyword, params } of findings) {
    const name = keyword === 'required' ? String(params.missingProperty) : instancePath.split('/')[1] ?? ''
    const schema = schemas.get(name)
    if (schema === undefined || lines.has(name)) continue
    const note = isQuoted(environment[name]?.trim()) ? ` (it ${quotedNote})` : ''
    lines.set(name, keyword === 'required' ? missing(name, schema) : `${name} must be ${wanted(schema)}${note}`)
  }
  return [...lines.values()].join('; ')
}

function missing (name: string, schema: SettingSchema): string {
  return `${name} is missing: set it${schema.secret === true ? ` (or ${name}_FILE)` : ''} to the same value as in Django`
}

function wanted (schema: SettingSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.type === 'integer') {
    const from = schema.minimum ?? 0
    const isOpen = schema.maximum === undefined || schema.maximum === Number.MAX_SAFE_INTEGER
    const range = isOpen ? `${from} or more` : `${from} to ${schema.maximum}`
    return `a whole number${schema.unit === undefined ? '' : ` of ${schema.unit}`}, ${range}`
  }
  const format = formats[schema.format ?? schema.items?.format ?? '']
  return format?.wanted ?? (schema.type === 'array' ? 'a list, comma separated' : 'text')
}
