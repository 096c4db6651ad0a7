import type { Props } from './block.ts'
import type { BlockExtensions, BlockSpec, Found } from './block-table.ts'
import { type Element, find, textOf } from '../html/element.ts'
import { escapeHtml } from '../html/escape-html.ts'
import { interlinkingLinkInline } from './interlinking-link.ts'
import { inlineMath, sourceBlocks } from './math-blocks.ts'
import { fileMarkdown, linkHtml, mediaText, text, unsafeAddress, width } from './media-blocks.ts'
import { isWebAddress } from '../html/safe-url.ts'
import { backgroundColor, textAlignment } from './shared-props.ts'

const callout: BlockSpec = {
  type: 'callout',
  content: 'inline',
  props: { textAlignment, backgroundColor, emoji: { default: '💡' } },
  toHtml ({ props, attributes, inline, escape }) {
    // Docs reads the default emoji from the attribute too.
    const emoji = text(props, 'emoji') === '💡' ? ' data-emoji="💡"' : ''
    return `<aside role="note"${emoji}${attributes}>${visibleEmoji(props, escape)}${inline}</aside>`
  },
  fromHtml: { tags: ['aside'], read: (element) => ({ props: {}, content: withoutEmoji(element) }) },
  // Markdown has no callouts. An HTML element is read back as one, a quote would stay a quote.
  toMarkdown: ({ props, html, escapeHtml: escape }) =>
    `<aside role="note" data-emoji="${escape(text(props, 'emoji'))}">${visibleEmoji(props, escape)}${html}</aside>`,
  toText: (props, content) => `${text(props, 'emoji')} ${content}`.trim(),
}

/** The emoji as visible text, marked so that it is not read back as content. Docs writes it the same way. */
function visibleEmoji (props: Props, escape: (text: string) => string): string {
  const emoji = escape(text(props, 'emoji'))
  return emoji === '' ? '' : `<span aria-hidden="true" data-emoji="${emoji}">${emoji} </span>`
}

/**
 * A callout's element without its visible emoji, which is its first child or, in Docs' own HTML, that of its paragraph.
 */
function withoutEmoji (element: Element): Element {
  const index = element.children.findIndex((child) => typeof child !== 'string' || child.trim() !== '')
  const first = element.children[index]
  if (first === undefined || typeof first === 'string') return element
  const isEmoji = first.tag === 'span' && 'data-emoji' in first.attributes
  if (!isEmoji && first.tag !== 'p') return element
  const rest = element.children.slice(index + 1)
  return { ...element, children: isEmoji ? rest : [withoutEmoji(first), ...rest] }
}

const pdf: BlockSpec = {
  type: 'pdf',
  content: 'none',
  props: {
    textAlignment,
    backgroundColor,
    name: { default: '' },
    url: { default: '' },
    caption: { default: '' },
    showPreview: { default: true },
    previewWidth: { type: 'number' },
  },
  toHtml (parts) {
    const { props, attributes, escape } = parts
    const url = text(props, 'url')
    if (url !== '' && props['showPreview'] === false) return linkHtml('pdf', parts)
    if (url !== '' && !isWebAddress(url)) parts.drop(unsafeAddress, 'content')
    const source = isWebAddress(url) ? ` src="${escape(url)}"` : ''
    const title = text(props, 'name') === '' ? '' : ` title="${escape(text(props, 'name'))}"`
    const embed = `<embed${source} type="application/pdf"${title}${width(props)}`
    const caption = text(props, 'caption')
    if (caption === '') return `${embed} data-content-type="pdf"${attributes}>`
    return `<figure data-content-type="pdf"${attributes}>${embed}><figcaption>${escapeHtml(caption)}</figcaption></figure>`
  },
  fromHtml: { tags: ['embed', 'div'], read: readPdf },
  toMarkdown: fileMarkdown,
  toText: mediaText,
}

/** An embedded PDF, or Docs' own HTML: a `div` around a frame or a link, and the caption. */
function readPdf (element: Element): Found | undefined {
  const { attributes } = element
  if (attributes['type'] !== 'application/pdf' && attributes['data-content-type'] !== 'pdf') return undefined
  if (element.tag === 'embed') return { props: { url: attributes['src'], name: attributes['title'], previewWidth: attributes['width'] } }
  const caption = find(element, 'p')
  const link = find(element, 'a')
  const props: Found['props'] = { caption: caption && textOf(caption) }
  if (link !== undefined) {
    const url = attributes['data-url'] ?? link.attributes['href']
    const label = textOf(link)
    // A file without a name shows its address.
    return { props: { ...props, url, name: label === url ? undefined : label, showPreview: false } }
  }
  const { src, title, width } = find(element, 'iframe')?.attributes ?? {}
  // Docs gives a frame this title if the file has no name.
  return { props: { ...props, url: src, name: title === 'PDF preview' ? undefined : title, previewWidth: width } }
}

/** The placeholder of a file that is being uploaded. It is not kept, but a document can be read at that moment. */
const uploadLoader: BlockSpec = {
  type: 'uploadLoader',
  content: 'none',
  props: {
    information: { default: '' },
    type: { default: 'loading', values: ['loading', 'warning'] },
    blockUploadName: { default: '' },
    blockUploadShowPreview: { default: true },
    blockUploadType: { default: '' },
    blockUploadUrl: { default: '' },
    blockUploadCaption: { default: '' },
    blockUploadTextAlignment: textAlignment,
  },
  transient: true,
  toHtml: () => '',
}

/** The blocks that La Suite Docs adds to BlockNote's own, and an example of a blocks module. */
export const docsBlocks: BlockExtensions = {
  blocks: [callout, pdf, uploadLoader, ...sourceBlocks],
  inline: [interlinkingLinkInline, inlineMath],
}
