import type { MarkSpec } from './block-table.ts'
import { isBold, isDecorated, isItalic, styleOf } from '../html/css.ts'
import type { Element } from '../html/element.ts'
import { cssColorOf } from './theme-colors.ts'

/** BlockNote's marks in the order in which they nest in HTML, and marks that only its editor shows. */
export const standardMarks: readonly MarkSpec[] = [
  {
    type: 'bold',
    value: 'boolean',
    delimiter: '**',
    toHtml: (_, inner) => `<strong>${inner}</strong>`,
    fromHtml: { tags: ['strong', 'b'], read: () => true, style: isBold },
  },
  {
    type: 'italic',
    value: 'boolean',
    delimiter: '*',
    toHtml: (_, inner) => `<em>${inner}</em>`,
    fromHtml: { tags: ['em', 'i'], read: () => true, style: isItalic },
  },
  {
    type: 'underline',
    value: 'boolean',
    toHtml: (_, inner) => `<u>${inner}</u>`,
    fromHtml: lineReader(['u', 'ins'], 'underline'),
  },
  {
    type: 'strike',
    value: 'boolean',
    delimiter: '~~',
    toHtml: (_, inner) => `<s>${inner}</s>`,
    fromHtml: lineReader(['s', 'del', 'strike'], 'line-through'),
  },
  {
    type: 'code',
    value: 'boolean',
    toHtml: (_, inner) => `<code>${inner}</code>`,
    fromHtml: { tags: ['code', 'kbd', 'samp', 'tt'], read: () => true },
  },
  colorMark('textColor', 'color', 'text'),
  colorMark('backgroundColor', 'background-color', 'background'),
  ...['comment', 'insertion', 'deletion', 'modification'].map(hiddenMark),
]

/**
 * Reads a line through or under text, which the element draws unless its style removes it, or which its style draws.
 */
function lineReader (tags: readonly string[], line: 'underline' | 'line-through'): NonNullable<MarkSpec['fromHtml']> {
  const drawn = (element: Element) => isDecorated(element, line)
  return {
    tags,
    read: (element) => drawn(element) === false ? undefined : true,
    style: (element) => drawn(element) === true ? true : undefined,
  }
}

/** A coloured span holds the theme's name beside the colour itself, so that it reads back as the same mark. */
function colorMark (type: string, property: string, use: 'text' | 'background'): MarkSpec {
  return {
    type,
    value: 'string',
    toHtml (value, inner, escape) {
      const color = cssColorOf(value, use)
      const style = color === undefined ? '' : ` style="${property}: ${color};"`
      return `<span${style} data-style-type="${type}" data-value="${escape(value)}">${inner}</span>`
    },
    fromHtml: {
      tags: ['span', 'font', 'mark'],
      read (element) {
        const named = element.attributes['data-style-type']
        if (named !== undefined) return named === type ? element.attributes['data-value'] || undefined : undefined
        const fontColor = use === 'text' && element.tag === 'font' ? element.attributes['color'] : undefined
        return styleOf(element, property) ?? (fontColor || undefined)
      },
    },
  }
}

/** Anchors of comments and of suggested changes, whose text is shown without them. */
function hiddenMark (type: string): MarkSpec {
  return { type, value: 'boolean', hidden: true, toHtml: (_, inner) => inner }
}
