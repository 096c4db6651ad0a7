import type { Element } from './element.ts'
import { blockElements } from './html-elements.ts'

/** How white space is read, as in CSS; `spaces` keeps blanks except those around a line feed, as markdown does. */
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

/** The trimmed value of a property in the `style` attribute, or undefined. The last declaration wins. */
export function styleOf (node: Element, property: string): string | undefined {
  const style = node.attributes['style']
  if (style === undefined) return undefined
  let value: string | undefined
  for (const declaration of style.split(';')) {
    const colon = declaration.indexOf(':')
    if (colon <= 0 || declaration.slice(0, colon).trim().toLowerCase() !== property) continue
    value = declaration.slice(colon + 1).replace('!important', '').trim() || value
  }
  return value
}

/** How the element's style has white space read in it, if it says so. */
export function whiteSpaceOf (node: Element): WhiteSpace | undefined {
  const value = keyword(node, 'white-space-collapse') ?? keyword(node, 'white-space')
  return value !== undefined && Object.hasOwn(whiteSpaces, value) ? whiteSpaces[value] : undefined
}

/** Whether the element's style makes text bold; undefined if it does not say. */
export function isBold (node: Element): boolean | undefined {
  const weight = keyword(node, 'font-weight') ?? shorthand(node, /^(?:bold|bolder|[1-9]\d{0,3})$/)
  if (weight === undefined || /^(?:inherit|unset|revert)/.test(weight)) return undefined
  return weight.startsWith('bold') || Number(weight) >= 600
}

/** Whether the element's style makes text italic; undefined if it does not say. */
export function isItalic (node: Element): boolean | undefined {
  const style = keyword(node, 'font-style') ?? shorthand(node, /^(?:italic|oblique)$/)
  if (style === undefined || /^(?:inherit|unset|revert)/.test(style)) return undefined
  return style.startsWith('italic') || style.startsWith('oblique')
}

/** Whether the element's style draws this line; undefined if it does not say. A line of an outer element stays. */
export function isDecorated (node: Element, line: 'underline' | 'line-through'): boolean | undefined {
  const value = keyword(node, 'text-decoration-line') ?? keyword(node, 'text-decoration')
  return value === undefined || value === 'inherit' ? undefined : value.split(/\s+/).includes(line)
}

/** Whether browsers hide the element. */
export function isHidden (node: Element): boolean {
  const { hidden, open, style } = node.attributes
  if (hidden !== undefined || (node.tag === 'dialog' && open === undefined)) return true
  if (style === undefined) return false
  return keyword(node, 'display') === 'none' || /^(?:hidden|collapse)$/.test(keyword(node, 'visibility') ?? '')
}

/** Whether the element starts a line of its own. */
export function isBlock (node: Element): boolean {
  const display = keyword(node, 'display')
  const isKnown = display !== undefined && /^(?:inline|block|flex|grid|table|list-item|flow-root)/.test(display)
  return isKnown ? !display.startsWith('inline') : blockElements.has(node.tag)
}

function keyword (node: Element, property: string): string | undefined {
  return styleOf(node, property)?.toLowerCase()
}

/** The size in `font`, which follows style and weight. */
const fontSize = /^(?:[\d.]+[a-z%]+|(?:xx?-|xxx-)?(?:small|large)|medium|smaller|larger)(?:\/|$)/

/** A word before the size in `font`, which sets everything that it omits to normal. */
function shorthand (node: Element, word: RegExp): string | undefined {
  const words = keyword(node, 'font')?.split(/\s+/) ?? []
  const size = words.findIndex((part) => fontSize.test(part))
  return size === -1 ? undefined : words.slice(0, size).find((part) => word.test(part)) ?? 'normal'
}
