import { isBlock, isHidden } from './css.ts'
import type { Element, Node } from './element.ts'
import { silentElements } from './html-elements.ts'

/** The text of an element with every character of it, each block within on lines of its own. */
export function linesOf (element: Element): string {
  const lines = new Lines()
  lines.add(element.children)
  return lines.text
}

class Lines {
  text = ''
  #blockEnded = false

  add (nodes: readonly Node[]): void {
    for (const node of nodes) {
      if (typeof node === 'string') this.#write(node)
      else if (node.tag === 'br') this.#write('\n')
      else if (!silentElements.has(node.tag) && !isHidden(node)) this.#element(node)
    }
  }

  #element (node: Element): void {
    const block = isBlock(node)
    // The cells of a row stand side by side.
    const cell = node.tag === 'td' || node.tag === 'th'
    if (block && !cell) this.#blockEnded ||= this.text !== ''
    this.add(node.children)
    if (cell) this.#write('\t')
    else if (block) this.#blockEnded = true
  }

  #write (text: string): void {
    if (text === '') return
    if (this.#blockEnded && this.text !== '' && !this.text.endsWith('\n')) this.text += '\n'
    this.#blockEnded = false
    this.text += text
  }
}
