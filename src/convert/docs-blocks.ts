import type { BlockExtensions, BlockSpec, InlineSpec } from './block-table.ts'
import { escapeHtml } from './escape-html.ts'
import { fileMarkdown, linkHtml, mediaText, text, unsafeAddress } from './media-blocks.ts'
import { isWebAddress } from './safe-url.ts'
import { backgroundColor, textAlignment } from './shared-props.ts'

const callout: BlockSpec = {
  type: 'callout',
  content: 'inline',
  props: { textAlignment, backgroundColor, emoji: { default: '💡' } },
  toHtml: ({ props, attributes, inline }) =>
    // The default emoji is written too: it is what a page shows.
    `<aside role="note"${text(props, 'emoji') === '💡' ? ' data-emoji="💡"' : ''}${attributes}>${inline}</aside>`,
  fromHtml: { tags: ['aside'], read: () => ({ props: {} }) },
  // Markdown has no callouts; an HTML element is read back as one, a quote would stay a quote.
  toMarkdown: ({ props, html, escapeHtml: escape }) =>
    `<aside role="note" data-emoji="${escape(text(props, 'emoji'))}">${html}</aside>`,
  toText: (props, content) => `${text(props, 'emoji')} ${content}`.trim(),
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
    const embed = `<embed${source} type="application/pdf"${text(props, 'name') === '' ? '' : ` title="${escape(text(props, 'name'))}"`}`
    const caption = text(props, 'caption')
    return caption === '' ? `${embed} data-content-type="pdf"${attributes}>` : `<figure data-content-type="pdf"${attributes}>${embed}><figcaption>${escapeHtml(caption)}</figcaption></figure>`
  },
  fromHtml: {
    tags: ['embed'],
    read: (element) => element.attributes['type'] === 'application/pdf'
      ? { props: { url: element.attributes['src'], name: element.attributes['title'] } }
      : undefined,
  },
  toMarkdown: fileMarkdown,
  toText: mediaText,
}

/** Stands where a file is being uploaded; never meant to be kept, but a document may be read at that moment. */
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
  },
  toHtml: ({ props, attributes }) => `<div data-content-type="uploadLoader"${attributes}>${escapeHtml(text(props, 'information'))}</div>`,
  toMarkdown: ({ props, escape }) => escape(text(props, 'information')),
  toText: (props) => text(props, 'information'),
}

const interlinkingLinkInline: InlineSpec = {
  type: 'interlinkingLinkInline',
  content: 'none',
  props: { docId: { default: '' }, disabled: { default: false }, trigger: { default: '/', values: ['/', '@'] }, title: { default: '' } },
  toHtml ({ props, attributes, origin, escape }) {
    const id = text(props, 'docId')
    return `<a href="${escape(`${origin}/docs/${encodeURIComponent(id)}/`)}"${id === '' ? ' data-doc-id=""' : ''}${attributes}>${escapeHtml(text(props, 'title'))}</a>`
  },
  fromHtml: {
    tags: ['a'],
    read: (element) => 'data-doc-id' in element.attributes ? { props: { docId: element.attributes['data-doc-id'] } } : undefined,
  },
  toMarkdown: ({ props, origin, escape }) => `[${escape(text(props, 'title'))}](${origin}/docs/${encodeURIComponent(text(props, 'docId'))}/)`,
  toText: (props) => text(props, 'title'),
}

/** The blocks that La Suite Docs adds to BlockNote's, and the worked example of a blocks module. */
export const docsBlocks: BlockExtensions = {
  blocks: [callout, pdf, uploadLoader],
  inline: [interlinkingLinkInline],
}
