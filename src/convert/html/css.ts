import type { Element } from './element.ts'
import { blockElements } from './html-elements.ts'

/** How the white space of text is read, as CSS names it; `spaces` keeps blanks but for those around a line feed, as markdown does. */
export type WhiteSpace = 'collapse' | 'preserve' | 'breaks' | 'spaces'

const whiteSpaces: Record<string, WhiteSpace> = {
  normal: 'collapse',
  nowrap: 'collapse',
  collapse: 'collapse',
  pre: 'preserve',
  'pre-wrap': 'preserve',
  'break-spaces': 'preserve',
  preserve: 'preserve',
  'pre-line': 'breaks',
  'preserve-breaks': 'breaks',
  'preserve-spaces': 'spaces',
}

/** The value of one declaration in a `style` attribute, trimmed, or undefined. The last one holds. */
export function styleOf (node: Element, property: string): string | undefined {
  const style = node.attributes['style']
  if (style === undefined) return undefined
  let value: string | undefined
  for (const declaration of style.split(';')) {
    const colon = declaration.indexOf(':')
    if (colon > 0 && declaration.slice(0, colon).trim().toLowerCase() === property) value = declaration.slice(colon + 1).replace('!important', '').trim() || value
  }
  return value
}

/** What an element says of white space, for itself and all within it. */
export function whiteSpaceOf (node: Element): WhiteSpace | undefined {
  const value = keyword(node, 'white-space-collapse') ?? keyword(node, 'white-space')
  return value !== undefined && Object.hasOwn(whiteSpaces, value) ? whiteSpaces[value] : undefined
}

/** Whether text is bold because of this element: undefined when it does not say. */
export function isBold (node: Element): boolean | undefined {
  const weight = keyword(node, 'font-weight') ?? shorthand(node, /^(?:bold|bolder|[1-9]\d{0,3})$/)
  if (weight === undefined || /^(?:inherit|unset|revert)/.test(weight)) return undefined
  return weight.startsWith('bold') || Number(weight) >= 600
}

/** Whether text is italic because of this element: undefined when it does not say. */
export function isItalic (node: Element): boolean | undefined {
  const style = keyword(node, 'font-style') ?? shorthand(node, /^(?:italic|oblique)$/)
  if (style === undefined || /^(?:inherit|unset|revert)/.test(style)) return undefined
  return style.startsWith('italic') || style.startsWith('oblique')
}

/** Whether an element draws this line on its text: undefined when it does not say. A line that an outer element draws stays. */
export function isDecorated (node: Element, line: 'underline' | 'line-through'): boolean | undefined {
  const value = keyword(node, 'text-decoration-line') ?? keyword(node, 'text-decoration')
  return value === undefined || value === 'inherit' ? undefined : value.split(/\s+/).includes(line)
}

/** Whether no browser shows the element. */
export function isHidden (node: Element): boolean {
  const { hidden, style } = node.attributes
  if (hidden !== undefined || (node.tag === 'dialog' && node.attributes['open'] === undefined)) return true
  return style !== undefined && (keyword(node, 'display') === 'none' || /^(?:hidden|collapse)$/.test(keyword(node, 'visibility') ?? ''))
}

/** Whether the element starts a line of its own. */
export function isBlock (node: Element): boolean {
  const display = keyword(node, 'display')
  if (display === undefined || !/^(?:inline|block|flex|grid|table|list-item|flow-root)/.test(display)) return blockElements.has(node.tag)
  return !display.startsWith('inline')
}

function keyword (node: Element, property: string): string | undefined {
  return styleOf(node, property)?.toLowerCase()
}

/** What stands before the size in `font`, which sets everything that it leaves out to normal. */
function shorthand (node: Element, word: RegExp): string | undefined {
  const words = keyword(node, 'font')?.split(/\s+/) ?? []
  const size = words.findIndex((part) => /^(?:[\d.]+[a-z%]+|(?:xx?-|xxx-)?(?:small|large)|medium|smaller|larger)(?:\/|$)/.test(part))
  return size === -1 ? undefined : words.slice(0, size).find((part) => word.test(part)) ?? 'normal'
}
