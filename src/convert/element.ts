/** An element as both readers, markdown and HTML, hand it to `elementsToBlocks`. Text is a plain string. */
export interface Element {
  /** Lower case. */
  tag: string
  attributes: Record<string, string>
  children: Node[]
}

export type Node = Element | string

/** An attribute map without a prototype, so that `constructor` is a name like any other. */
export function attributes (entries?: Record<string, string>): Record<string, string> {
  // Object.create gives any; a fresh object without prototype is an empty string map.
  const map = Object.create(null) as Record<string, string>
  if (entries !== undefined) for (const name in entries) map[name] = entries[name] ?? ''
  return map
}

export function element (tag: string, given?: Record<string, string>, children: Node[] = []): Element {
  return { tag, attributes: attributes(given), children }
}

/** The text of an element and all within it. Depth is bounded by whoever built the tree. */
export function textOf (node: Node): string {
  if (typeof node === 'string') return node
  if (node.tag === 'br') return '\n'
  let text = ''
  for (const child of node.children) text += textOf(child)
  return text
}

/** The first element with this tag in document order, the given one included. */
export function find (node: Node, tag: string): Element | undefined {
  if (typeof node === 'string') return undefined
  if (node.tag === tag) return node
  for (const child of node.children) {
    const found = find(child, tag)
    if (found !== undefined) return found
  }
  return undefined
}

/** The value of one declaration in a `style` attribute, trimmed, or undefined. */
export function styleOf (node: Element, property: string): string | undefined {
  const style = node.attributes['style']
  if (style === undefined) return undefined
  for (const declaration of style.split(';')) {
    const colon = declaration.indexOf(':')
    if (colon > 0 && declaration.slice(0, colon).trim().toLowerCase() === property) return declaration.slice(colon + 1).trim() || undefined
  }
  return undefined
}
