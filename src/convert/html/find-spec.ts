import type { BlockSpec, BlockTable, Found, InlineSpec } from '../blocks/block-table.ts'
import type { Element, Node } from './element.ts'

/** Reads an element as a block, by BlockNote's own name for it or by its tag. @returns undefined if it is none */
export function findBlock (node: Element, table: BlockTable): { spec: BlockSpec, found: Found } | undefined {
  const named = table.blocks.get(node.attributes['data-content-type'] ?? '')
  if (named !== undefined && named.content !== 'table') {
    const known = named.fromHtml?.tags.includes(node.tag) === true ? named.fromHtml.read(node) : undefined
    return { spec: named, found: known ?? { props: {}, content: contentElement(node) } }
  }
  return read(node, table.blocksByTag)
}

/** Reads an element as an element inside text. @returns undefined if it is none */
export function findInline (node: Element, table: BlockTable): { spec: InlineSpec, found: Found } | undefined {
  return read(node, table.inlineByTag)
}

function read<T extends BlockSpec | InlineSpec> (
  node: Element,
  byTag: ReadonlyMap<string, readonly T[]>
): { spec: T, found: Found } | undefined {
  for (const spec of byTag.get(node.tag) ?? []) {
    const found = spec.fromHtml?.read(node)
    if (found !== undefined) return { spec, found }
  }
  return undefined
}

function contentElement (node: Element): Element {
  return findClass(node, 'bn-inline-content') ?? node
}

function findClass (node: Node, name: string): Element | undefined {
  if (typeof node === 'string') return undefined
  if (node.attributes['class']?.split(' ').includes(name) === true) return node
  for (const child of node.children) {
    const found = findClass(child, name)
    if (found !== undefined) return found
  }
  return undefined
}
