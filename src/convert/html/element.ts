/** An element of HTML or markdown, as `elementsToBlocks` reads it. */
export interface Element {
  /** In lower case. */
  tag: string
  attributes: Record<string, string>
  children: Node[]
}

/** An element, or text. */
export type Node = Element | string

/** A map of attributes without a prototype, so that `constructor` is a name like any other. */
export function attributes (entries?: Record<string, string>): Record<string, string> {
  // Object.create gives any; a fresh object without prototype is an empty string map.
  const map = Object.create(null) as Record<string, string>
  if (entries !== undefined) for (const name in entries) map[name] = entries[name] ?? ''
  return map
}

/** Makes an element. */
export function element (tag: string, given?: Record<string, string>, children: Node[] = []): Element {
  return { tag, attributes: attributes(given), children }
}

/** The text of an element and of all elements in it. The builder of the tree bounds its depth. */
export function textOf (node: Node): string {
  if (typeof node === 'string') return node
  if (node.tag === 'br') return '\n'
  let text = ''
  for (const child of node.children) text += textOf(child)
  return text
}

/** The first child with this tag. */
export function childOf (node: Element, tag: string): Element | undefined {
  return node.children.find((child): child is Element => typeof child !== 'string' && child.tag === tag)
}

/** The first element with this tag in document order, including the given one. */
export function find (node: Node, tag: string): Element | undefined {
  if (typeof node === 'string') return undefined
  if (node.tag === tag) return node
  for (const child of node.children) {
    const found = find(child, tag)
    if (found !== undefined) return found
  }
  return undefined
}

/** All elements with one of these tags in document order, including the given one. */
export function findAll (node: Node, tags: ReadonlySet<string>, found: Element[] = []): Element[] {
  if (typeof node === 'string') return found
  if (tags.has(node.tag)) found.push(node)
  for (const child of node.children) findAll(child, tags, found)
  return found
}
