import { describeValue, LineDescription } from './describe-type.ts'
import type { TreeElement, TreeNode, TreeRun } from './tree.ts'
import { isTreeText } from './tree.ts'

/** The name of the element that holds a block's content and the blocks within it. */
const container = 'blockContainer'
/** The name of the element that holds blocks. */
export const group = 'blockGroup'

/** Numbers for nodes and parts of them: equal ones have equal numbers. */
export class TreeKeys {
  readonly #numbers = new Map<string, number>()
  readonly #exact = new WeakMap<TreeNode, number>()
  readonly #deep = new WeakMap<TreeNode, number>()

  /** The number of a text. */
  number (key: string): number {
    let number = this.#numbers.get(key)
    if (number === undefined) this.#numbers.set(key, number = this.#numbers.size)
    return number
  }

  /** Everything of a node. */
  exact (node: TreeNode): number {
    return this.#remember(this.#exact, node, (node) => this.#describe(node, (child) => this.exact(child), true))
  }

  /** Everything of a node but the ids in it. */
  deep (node: TreeNode): number {
    return this.#remember(this.#deep, node, (node) => this.#describe(node, (child) => this.deep(child), false))
  }

  /** The node itself: a block without the blocks within it. */
  shallow (node: TreeNode): number {
    const content = contentOf(node)
    return content === node ? this.deep(node) : this.number(`shallow ${this.deep(content)}`)
  }

  #remember (numbers: WeakMap<TreeNode, number>, node: TreeNode, describe: (node: TreeNode) => string): number {
    const known = numbers.get(node)
    if (known !== undefined) return known
    const number = this.number(describe(node))
    numbers.set(node, number)
    return number
  }

  #describe (node: TreeNode, keyOf: (child: TreeNode) => number, withId: boolean): string {
    const { attributes = {} } = node
    const names = Object.keys(attributes).filter((name) => withId || name !== 'id').sort()
    const values = describeValues(attributes, names)
    if (isTreeText(node)) return `text ${values} ${describeRuns(node.runs)}`
    return `element ${node.name} ${values} ${node.children.map(keyOf).join(' ')}`
  }
}

/** The content of a block's container; another node itself. */
export function contentOf (node: TreeNode): TreeNode {
  if (isTreeText(node) || node.name !== container) return node
  return node.children[0] ?? node
}

/** The text of a node, without that of blocks within it. */
export function textOf (node: TreeNode): string {
  if (isTreeText(node)) return node.runs.map(({ text }) => text).join('')
  let text = ''
  for (const child of node.children) if (isTreeText(child) || child.name !== group) text += `${textOf(child)} `
  return text
}

/** The id of an element. */
export function idOf (node: TreeNode): string | undefined {
  const id = isTreeText(node) ? undefined : node.attributes['id']
  return typeof id === 'string' ? id : undefined
}

/** An element with its content as text, for comparison. */
export function describeElement (element: TreeElement): string {
  const describe = (child: TreeNode) => isTreeText(child) ? describeRuns(child.runs) : describeElement(child)
  const children = element.children.map(describe)
  const names = Object.keys(element.attributes).sort()
  return JSON.stringify([element.name, describeValues(element.attributes, names), children])
}

function describeValues (attributes: Readonly<Record<string, unknown>>, names: readonly string[]): string {
  return names.map((name) => `${name}=${describeValue(attributes[name])}`).join(' ')
}

/** Runs as text, however they are divided. */
function describeRuns (runs: readonly TreeRun[]): string {
  const line = new LineDescription()
  for (const { text, formats, ...rest } of runs) {
    line.setFormats(formats)
    if ('embed' in rest) line.value(describeValue(rest.embed))
    else line.text(text)
  }
  return line.finish().join(', ')
}
