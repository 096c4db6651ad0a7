import { type BlockExtensions, type BlockTable, createBlockTable } from './block-table.ts'
import { docsBlocks } from './docs-blocks.ts'
import { blockNoteBlocks, standardTable } from './standard-table.ts'

/** A blocks module that cannot be used. The message is one line that says what is wrong. */
export class InvalidBlocksModule extends Error {
  override readonly name = 'InvalidBlocksModule'
}

/**
 * Loads the blocks that a project adds, and joins them with those of BlockNote and La Suite Docs. The module's default
 * export is `{ blocks?, inline?, marks? }`. Its types replace existing types of the same name.
 * @param url of the module; undefined: the standard table
 * @throws InvalidBlocksModule
 */
export async function loadBlockTable (url: string | undefined): Promise<BlockTable> {
  if (url === undefined) return standardTable
  try {
    const module: unknown = await import(url)
    const extensions = isObject(module) ? module['default'] : undefined
    checkExtensions(extensions)
    return createBlockTable(blockNoteBlocks, docsBlocks, extensions)
  } catch (error) {
    throw error instanceof InvalidBlocksModule ? error : notLoaded(error)
  }
}

/** The error to throw if the module threw, or one of its getters. */
export function notLoaded (error: unknown): InvalidBlocksModule {
  return new InvalidBlocksModule(`The blocks module could not be loaded: ${firstLine(error)}`)
}

function checkExtensions (given: unknown): asserts given is BlockExtensions {
  if (!isObject(given)) throw new InvalidBlocksModule('The blocks module has no default export that is an object')
  const unknown = Object.keys(given).find((key) => !['blocks', 'inline', 'marks'].includes(key))
  if (unknown !== undefined) throw new InvalidBlocksModule(`The blocks module exports "${unknown}", which is none of blocks, inline and marks`)
  for (const kind of ['blocks', 'inline', 'marks'] as const) {
    const list = given[kind] ?? []
    if (!Array.isArray(list)) throw new InvalidBlocksModule(`The blocks module's "${kind}" is not a list`)
    list.forEach((spec: unknown, index) => checkSpec(kind, spec, index))
  }
}

function checkSpec (kind: 'blocks' | 'inline' | 'marks', spec: unknown, index: number): void {
  const place = `The blocks module's ${kind}[${index}]`
  if (!isObject(spec)) throw new InvalidBlocksModule(`${place} is not an object`)
  const { type } = spec
  if (typeof type !== 'string' || !/^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(type)) throw new InvalidBlocksModule(`${place} has no "type" that is a name of letters, digits and underscores`)
  const name = `${place} (${type})`
  if (['blockGroup', 'blockContainer', 'tableRow', 'tableCell', 'tableHeader', 'tableParagraph', 'hardBreak', 'text', 'link'].includes(type)) {
    throw new InvalidBlocksModule(`${name} has a type that BlockNote keeps for itself`)
  }
  if (typeof spec['toHtml'] !== 'function') throw new InvalidBlocksModule(`${name} has no function "toHtml"`)
  for (const key of ['toMarkdown', 'toText']) {
    if (spec[key] !== undefined && typeof spec[key] !== 'function') throw new InvalidBlocksModule(`${name} has a "${key}" that is no function`)
  }
  const { fromHtml } = spec
  if (fromHtml !== undefined && !(isObject(fromHtml) && Array.isArray(fromHtml['tags']) && fromHtml['tags'].every((tag) => typeof tag === 'string' && tag === tag.toLowerCase()) && typeof fromHtml['read'] === 'function')) {
    throw new InvalidBlocksModule(`${name} has a "fromHtml" without "tags" in lower case and a function "read"`)
  }
  if (kind === 'marks') {
    if (spec['value'] !== 'boolean' && spec['value'] !== 'string') throw new InvalidBlocksModule(`${name} has a "value" that is neither "boolean" nor "string"`)
    return
  }
  const contents = kind === 'blocks' ? ['inline', 'none'] : ['none', 'styled', 'plain']
  if (!contents.includes(String(spec['content']))) throw new InvalidBlocksModule(`${name} has a "content" that is none of ${contents.join(', ')}`)
  checkProps(name, spec['props'])
}

function checkProps (name: string, props: unknown): void {
  if (!isObject(props)) throw new InvalidBlocksModule(`${name} has no object "props"`)
  for (const [prop, spec] of Object.entries(props)) {
    if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(prop)) throw new InvalidBlocksModule(`${name} has a prop whose name is not of letters and digits`)
    const type = isObject(spec) ? spec['type'] ?? typeof spec['default'] : undefined
    if (type !== 'string' && type !== 'number' && type !== 'boolean') throw new InvalidBlocksModule(`${name} has a prop "${prop}" with neither a default nor a type that is string, number or boolean`)
  }
}

function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The first line of a message, without the file that Node names as the importer. */
function firstLine (error: unknown): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1)
  return line.replace(/ imported from .*/, '')
}
