import type { Styles } from '../blocks/block.ts'
import type { BlockTable } from '../blocks/block-table.ts'
import { styleOf, type WhiteSpace, whiteSpaceOf } from './css.ts'
import type { Dropped } from '../dropped.ts'
import type { Element } from './element.ts'
import { plainElements } from './html-elements.ts'
import { isSafeLink } from './safe-url.ts'

/** An open link. `shown` once it has text, which a link around an image has not. */
interface OpenLink { href: string, shown: boolean }

/** The marks, the white space and the link of the text within an element. */
export interface TextContext { styles: Styles, whiteSpace: WhiteSpace, link?: OpenLink }

/** The context within an element: its own properties over those around it. Counts the ones that cannot be expressed. */
export function contextWithin (node: Element, context: TextContext, table: BlockTable, dropped: Dropped): TextContext {
  if (plainElements.has(node.tag)) dropped.add('format', `element ${node.tag}`)
  const styles = stylesWithin(node, context.styles, table)
  if (node.tag === 'mark' && styles === context.styles) dropped.add('format', 'element mark')
  const inner = styles === context.styles ? context : { ...context, styles }
  const styled = withStyle(node, inner, dropped)
  return node.tag === 'a' ? withLink(node, styled, dropped) : styled
}

function stylesWithin (node: Element, around: Styles, table: BlockTable): Styles {
  let styles = around
  const set = (type: string, value: string | boolean | undefined) => {
    if (value === undefined || value === (styles[type] ?? false)) return
    const { [type]: _, ...others } = styles
    styles = value === false ? others : { ...styles, [type]: value }
  }
  for (const spec of table.marksByTag.get(node.tag) ?? []) set(spec.type, spec.fromHtml?.read(node))
  if (node.attributes['style'] === undefined) return styles
  for (const spec of table.styledMarks) set(spec.type, spec.fromHtml?.style?.(node))
  return styles
}

function withStyle (node: Element, context: TextContext, dropped: Dropped): TextContext {
  if (node.attributes['style'] === undefined) return context
  if (/^(?:sub|super)$/.test(styleOf(node, 'vertical-align') ?? '')) dropped.add('format', 'style vertical-align')
  const whiteSpace = whiteSpaceOf(node)
  return whiteSpace === undefined ? context : { ...context, whiteSpace }
}

function withLink (node: Element, context: TextContext, dropped: Dropped): TextContext {
  const href = node.attributes['href']
  if (href === undefined) return context
  if (isSafeLink(href)) return { ...context, link: { href, shown: false } }
  dropped.add('format', 'unsafe link')
  return context
}
