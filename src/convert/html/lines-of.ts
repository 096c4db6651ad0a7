import { isBlock, isHidden } from './css.ts'
import { childOf, type Element, type Node } from './element.ts'
import { silentElements } from './html-elements.ts'

/** The exact text of an element, with each block in it on lines of its own. */
export function linesOf (element: Element): string {
  const lines = new Lines()
  lines.add(element.children)
  return lines.text
}

/** The children of an element in the order in which browsers show them: captions and the summary first. */
function shownOrder (node: Element): readonly Node[] {
  const { tag, children } = node
  const summary = tag === 'details' ? childOf(node, 'summary') : undefined
  const isFirst = (child: Element) => child === summary || (tag === 'table' && child.tag === 'caption')
  const first = children.filter((child) => typeof child !== 'string' && isFirst(child))
  return first.length === 0 ? children : [...first, ...children.filter((child) => !first.includes(child))]
}

class Lines {
  #text = ''
  #blockEnded = false

  get text (): string {
    return this.#text
  }

  add (nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') this.#write(node)
      else if (node.tag === 'br') this.#write('\n')
      else if (!silentElements.has(node.tag) && !isHidden(node)) this.#element(node)
    }
  }

  #element (node: Element): void {
    const block = isBlock(node)
    // The cells of a row are on the same line.
    const cell = node.tag === 'td' || node.tag === 'th'
    if (block && !cell) this.#blockEnded ||= this.#text !== ''
    this.add(shownOrder(node))
    if (cell) this.#write('\t')
    else if (block) this.#blockEnded = true
  }

  #write (text: string): void {
    if (text === '') return
    if (this.#blockEnded && this.#text !== '' && !this.#text.endsWith('\n')) this.#text += '\n'
    this.#blockEnded = false
    this.#text += text
  }
}
