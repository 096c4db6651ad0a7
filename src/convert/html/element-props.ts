import type { Props } from '../blocks/block.ts'
import { dataAttribute, defaultProps, type PropSpec, readProps } from '../blocks/block-table.ts'
import { styleOf } from './css.ts'
import type { Element } from './element.ts'
import { maxBlockDepth } from '../limits.ts'

/** The depth of the element's block by `data-nesting-level`; 0 without it. */
export function levelOf (node: Element): number {
  const given = node.attributes['data-nesting-level']
  if (given === undefined) return 0
  const level = Number(given)
  return level > 0 && level <= maxBlockDepth ? level : 0
}

/**
 * The props of an element: from `data-*`, else from `found`, else from its style.
 * @param found what the spec's reader found
 */
export function propsOf (
  specs: Record<string, PropSpec>,
  node: Element,
  found: Readonly<Record<string, unknown>>
): Props {
  // Most elements of markdown have no attributes.
  if (isBare(node.attributes) && isBare(found)) return defaultProps(specs)
  const given: Record<string, unknown> = {}
  for (const name in specs) {
    given[name] = node.attributes[dataAttribute(name)] ?? found[name] ?? styled(name, node)
  }
  return readProps(specs, given)
}

function styled (prop: string, node: Element): string | undefined {
  if (node.attributes['style'] === undefined) return undefined
  if (prop === 'textAlignment') return styleOf(node, 'text-align')
  if (prop === 'backgroundColor') return styleOf(node, 'background-color')
  return prop === 'textColor' ? styleOf(node, 'color') : undefined
}

function isBare (map: Readonly<Record<string, unknown>>): boolean {
  for (const name in map) if (map[name] !== undefined) return false
  return true
}
