import type { Props } from './block.ts'
import type { Found, InlineSpec } from './block-table.ts'
import { type Element, textOf } from '../html/element.ts'
import { escapeHtml } from '../html/escape-html.ts'
import { escapeLabel } from '../markdown/escape-markdown.ts'
import { text } from './media-blocks.ts'

/**
 * La Suite Docs' link to another document. As in its editor, a disabled link shows nothing, and one without a title
 * shows the document's id. Without an id it is no link.
 */
export const interlinkingLinkInline: InlineSpec = {
  type: 'interlinkingLinkInline',
  content: 'none',
  props: { docId: { default: '' }, disabled: { default: false }, trigger: { default: '/', values: ['/', '@'] }, title: { default: '' } },
  toHtml ({ props, attributes, origin, escape }) {
    const label = escapeHtml(labelOf(props))
    if (!isLink(props)) return `<span data-inline-content-type="interlinkingLinkInline"${attributes}>${label}</span>`
    return `<a href="${escape(addressOf(props, origin))}"${attributes}>${label}</a>`
  },
  fromHtml: { tags: ['a', 'span'], read: readLink },
  toMarkdown ({ props, origin, drop }) {
    if (props['disabled'] === true) drop('disabled link')
    const label = escapeLabel(labelOf(props))
    return isLink(props) ? `[${label}](${addressOf(props, origin)})` : label
  },
  toText: labelOf,
}

function labelOf (props: Props): string {
  return props['disabled'] === true ? '' : text(props, 'title') || text(props, 'docId')
}

function isLink (props: Props): boolean {
  return props['disabled'] !== true && text(props, 'docId') !== ''
}

function addressOf (props: Props, origin: string): string {
  return `${origin}/docs/${encodeURIComponent(text(props, 'docId'))}/`
}

/** Our HTML has all props in `data-*`. That of Docs has only the id there; the title is the link's title and text. */
function readLink (element: Element): Found | undefined {
  const { attributes } = element
  if (attributes['data-inline-content-type'] === 'interlinkingLinkInline' && element.tag === 'span') return { props: {} }
  const docId = attributes['data-doc-id']
  if (element.tag !== 'a' || docId === undefined) return undefined
  const label = attributes['title'] ?? textOf(element)
  return { props: { docId, title: label === docId ? undefined : label } }
}
