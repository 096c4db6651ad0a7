import type { MarkSpec } from './block-table.ts'
import { styleOf } from './element.ts'
import { cssColorOf } from './theme-colors.ts'

/** BlockNote's marks in the order in which they nest in HTML, and those that only its editor shows. */
export const standardMarks: readonly MarkSpec[] = [
  {
    type: 'bold',
    value: 'boolean',
    delimiter: '**',
    toHtml: (_, inner) => `<strong>${inner}</strong>`,
    fromHtml: { tags: ['strong', 'b'], read: (element) => styleOf(element, 'font-weight') === 'normal' ? undefined : true },
  },
  {
    type: 'italic',
    value: 'boolean',
    delimiter: '*',
    toHtml: (_, inner) => `<em>${inner}</em>`,
    fromHtml: { tags: ['em', 'i'], read: (element) => styleOf(element, 'font-style') === 'normal' ? undefined : true },
  },
  {
    type: 'underline',
    value: 'boolean',
    toHtml: (_, inner) => `<u>${inner}</u>`,
    fromHtml: { tags: ['u', 'ins'], read: () => true },
  },
  {
    type: 'strike',
    value: 'boolean',
    delimiter: '~~',
    toHtml: (_, inner) => `<s>${inner}</s>`,
    fromHtml: { tags: ['s', 'del', 'strike'], read: () => true },
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

/** A coloured span says the theme's name beside the colour itself, so that it can be read back as what it was. */
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
        return styleOf(element, property) ?? (use === 'text' && element.tag === 'font' ? element.attributes['color'] || undefined : undefined)
      },
    },
  }
}

/** Anchors of comments and of suggested changes: the text below them is shown as it is. */
function hiddenMark (type: string): MarkSpec {
  return { type, value: 'boolean', hidden: true, toHtml: (_, inner) => inner }
}
