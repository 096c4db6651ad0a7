import { settings, type SettingSchema } from '../src/settings/prepare.ts'

/** Characters of a line of prose, and of a comment after its `# `. */
const pageWidth = 120
const commentWidth = 110

/** The text of `.env.example`. */
export function envExample (): string {
  const lines = ['# Every setting of y-provider with its default. Written by `npm run env-example` from src/settings/schema.ts.']
  for (const [name, schema] of settings) {
    if (schema.group !== undefined) lines.push('', `# ${schema.group}`, '#'.padEnd(schema.group.length + 2, '-'))
    lines.push('', ...wrap(comment(name, schema), commentWidth).map((line) => `# ${line}`))
    lines.push(isRequired(schema) ? `${name}=` : `# ${name}=${quote(defaultText(schema))}`)
  }
  return lines.join('\n') + '\n'
}

/** The text of docs/settings.md. */
export function settingsPage (): string {
  const lines = [
    '# Settings',
    '',
    ...wrap('The service reads its settings from the environment and checks them when it starts. A setting that is missing, malformed or unsafe ends the start with exit code 1 and one line that names the variable. An empty variable counts as not set. White space around a value is ignored. A warning names variables that look misspelt, and values in quotation marks.', pageWidth),
    '',
    ...wrap('Where the last column says so, `NAME_FILE` can give the path of a file that holds the value, as Docker and Kubernetes mount secrets.', pageWidth),
    '',
    'This page is written by `npm run env-example` from `src/settings/schema.ts`.',
  ]
  for (const [name, schema] of settings) {
    if (schema.group !== undefined) lines.push('', `## ${schema.group}`, '', '| variable | default | meaning | `_FILE` |', '| --- | --- | --- | --- |')
    const byDefault = isRequired(schema) ? 'none: required' : defaultText(schema) === '' ? 'empty' : code(defaultText(schema)) + unitText(schema)
    lines.push(`| \`${name}\` | ${byDefault} | ${cell(describe(schema))} | ${schema.secret === true ? 'yes' : ''} |`)
  }
  return lines.join('\n') + '\n'
}

function comment (name: string, schema: SettingSchema): string {
  const unit = unitText(schema) === '' ? '' : ` Default: ${defaultText(schema)}${unitText(schema)}.`
  const file = schema.secret === true ? ` ${name}_FILE can name a file with the value.` : ''
  return describe(schema) + unit + file
}

const isRequired = (schema: SettingSchema) => schema.default === undefined

function describe (schema: SettingSchema): string {
  const choices = schema.enum === undefined ? '' : ` One of: ${schema.enum.join(', ')}.`
  const zero = schema.zero === undefined ? '' : ` 0 = ${schema.zero}.`
  return `${schema.description}${choices}${zero}`
}

/** Units that say more than the sentence about the setting does. */
const units = ['bytes', 'bytes/s', 'ms', 's']

/** `33554432 bytes (32 MiB)` → ` bytes (32 MiB)`, or nothing where the number speaks for itself. */
function unitText (schema: SettingSchema): string {
  if (schema.unit === undefined || !units.includes(schema.unit)) return ''
  const mebibytes = Number(schema.default) / 1024 / 1024
  return ` ${schema.unit}${schema.unit.startsWith('bytes') && Number.isInteger(mebibytes) && mebibytes > 0 ? ` (${mebibytes} MiB)` : ''}`
}

function defaultText (schema: SettingSchema): string {
  return Array.isArray(schema.default) ? schema.default.join(',') : String(schema.default ?? '')
}

/** Quotes a value that holds a special character, in the way that both Node and Docker read. */
const quote = (text: string) => /[\s#"\\$]/.test(text) ? `'${text}'` : text

const code = (text: string) => `\`${cell(text)}\``

const cell = (text: string) => text.replaceAll('|', '\\|')

/** Lines of at most `width` characters. */
function wrap (text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + word.length >= width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
