import { addressesOf, firstOfSet } from '../html/addresses.ts'
import type { Props } from './block.ts'
import type { BlockSpec, Found, HtmlParts, MarkdownParts, PropSpec } from './block-table.ts'
import { type Element, find, findAll } from '../html/element.ts'
import { escapeAttribute, escapeHtml } from '../html/escape-html.ts'
import { escapeLabel } from '../markdown/escape-markdown.ts'
import { lostElements } from '../html/html-elements.ts'
import { linesOf } from '../html/lines-of.ts'
import { isSafeLink, isSafeMedia } from '../html/safe-url.ts'
import { backgroundColor, textAlignment } from './shared-props.ts'
import { isVideoUrl } from './video-url.ts'

const fileProps: Record<string, PropSpec> = {
  backgroundColor,
  name: { default: '' },
  url: { default: '' },
  caption: { default: '' },
}

const previewProps: Record<string, PropSpec> = {
  textAlignment,
  ...fileProps,
  showPreview: { default: true },
  previewWidth: { type: 'number' },
}

const mediaTags = new Set(['img', 'video', 'audio', 'embed'])
const captionTags = new Set(['figcaption'])

const image: BlockSpec = {
  type: 'image',
  content: 'none',
  props: previewProps,
  toHtml: (parts) => mediaHtml('image', parts, `<img src="${source(parts.props)}" alt="${escapeAttribute(text(parts.props, 'name'))}"`, width(parts.props) + '@>', '<img@>'),
  fromHtml: { tags: ['img', 'figure'], read: (element) => readMedia(element, 'img', (found) => ({ name: found.attributes['alt'] })) },
  toMarkdown: (parts) => mediaMarkdown('image', parts, isVideoUrl(text(parts.props, 'url'))),
  toText: mediaText,
}

const video: BlockSpec = {
  type: 'video',
  content: 'none',
  props: previewProps,
  toHtml: (parts) => mediaHtml('video', parts, `<video src="${source(parts.props)}"`, width(parts.props) + '@></video>', '<video@></video>'),
  fromHtml: { tags: ['video', 'figure'], read: (element) => readMedia(element, 'video', (found) => ({ name: found.attributes['data-name'] })) },
  toMarkdown: (parts) => mediaMarkdown('video', parts, !isVideoUrl(text(parts.props, 'url'))),
  toText: mediaText,
}

const audio: BlockSpec = {
  type: 'audio',
  content: 'none',
  props: { ...fileProps, showPreview: { default: true } },
  toHtml: (parts) => mediaHtml('audio', parts, `<audio src="${source(parts.props)}"`, '@></audio>', '<audio@></audio>'),
  fromHtml: { tags: ['audio', 'figure'], read: (element) => readMedia(element, 'audio', (found) => ({ name: found.attributes['data-name'] })) },
  toMarkdown: (parts) => mediaMarkdown('audio', parts, true),
  toText: mediaText,
}

const file: BlockSpec = {
  type: 'file',
  content: 'none',
  props: fileProps,
  toHtml: (parts) => text(parts.props, 'url') === '' ? `<embed${parts.attributes}>` : linkHtml('file', parts),
  fromHtml: { tags: ['embed', 'figure'], read: (element) => readMedia(element, 'embed', () => ({})) },
  toMarkdown: fileMarkdown,
  toText: mediaText,
}

/** Images, videos, audio and files. A `figure` is read as the one that it holds. */
export const mediaBlocks: readonly BlockSpec[] = [file, audio, video, image]

/** The name under which an address is counted that is left out because it could run code. */
export const unsafeAddress = 'unsafe address'

/** A link with the name of a file without preview. Readers, BlockNote's too, recognise it by `data-content-type`. */
export function linkHtml (type: string, { props, attributes, escape, drop }: HtmlParts): string {
  const url = text(props, 'url')
  // An image can be a `data:` address; as a link that would open a page.
  const safe = isSafeLink(url)
  if (!safe) drop(unsafeAddress, 'content')
  const mark = ` data-content-type="${type}"${attributes}`
  const href = safe ? ` href="${escape(url)}"` : ''
  const label = escapeHtml(text(props, 'name') || url)
  const caption = text(props, 'caption')
  if (caption === '') return `<a${href}${mark}>${label}</a>`
  return `<div${mark}><a${href}>${label}</a><p>${escapeHtml(caption)}</p></div>`
}

/** A file in markdown: `[name](address)`, and the caption as a paragraph of its own. */
export function fileMarkdown ({ props, escape, drop }: MarkdownParts): string {
  const url = text(props, 'url')
  if (url === '') {
    drop('file without address')
    return ''
  }
  const name = withoutEdges(text(props, 'name')) || url
  const safe = isSafeLink(url)
  if (!safe) drop(unsafeAddress, 'content')
  const link = safe ? `[${escapeLabel(name)}](${destination(url)})` : escape(name)
  const caption = withoutEdges(text(props, 'caption'))
  return caption === '' ? link : `${link}\n\n${escape(caption)}`
}

/** Name, caption and address on one line, as far as they exist. */
export function mediaText (props: Props): string {
  const url = text(props, 'url')
  const words = [text(props, 'name'), text(props, 'caption')].filter((word) => word !== '').join(': ')
  if (words === '') return url
  return url === '' || url.startsWith('data:') ? words : `${words} (${url})`
}

/** An address as markdown's `(destination)`; in angle brackets if it holds characters that would end a bare one. */
export function destination (url: string): string {
  // eslint-disable-next-line no-control-regex
  const bracketed = url === '' || /[\u0000-\u0020\u007f<>]/.test(url)
  const keepsParentheses = bracketed || isBalanced(url)
  const escaped = url.replace(/[()<>\n\r]|\\(?=[!-/:-@[-`{-~]|$)|&(?=#?\w{1,31};)/g, (character) => {
    if (character === '\n') return '&#10;'
    if (character === '\r') return '&#13;'
    if (keepsParentheses && (character === '(' || character === ')')) return character
    return '\\' + character
  })
  return bracketed ? `<${escaped}>` : escaped
}

/** Whether the parentheses in an address pair up. Readers follow them up to 32 levels. */
function isBalanced (url: string): boolean {
  let open = 0
  for (const [sign] of url.matchAll(/[()]/g)) {
    open += sign === '(' ? 1 : -1
    if (open < 0 || open > 30) return false
  }
  return open === 0
}

/** A prop that is text; empty if it is absent. */
export function text (props: Props, name: string): string {
  const value = props[name]
  return typeof value === 'string' ? value : ''
}

/** The `@` in `end` and `empty` is replaced by the attributes of the outermost element. */
function mediaHtml (type: string, parts: HtmlParts, start: string, end: string, empty: string): string {
  const { props, attributes } = parts
  const url = text(props, 'url')
  const caption = text(props, 'caption')
  if (url === '') return empty.replace('@', () => attributes)
  if (props['showPreview'] === false) return linkHtml(type, parts)
  if (!isSafeMedia(url)) parts.drop(unsafeAddress, 'content')
  if (caption === '') return start + end.replace('@', () => attributes)
  return `<figure${attributes}>${start}${end.replace('@', '')}<figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

/** Text without the blanks at the edges of its lines, which are invisible and which markdown would drop. */
function withoutEdges (text: string): string {
  return text.trim().replace(/[ \t]*\n\s*/g, '\n')
}

/** The shorthand `![name](address)` if it reads back as the same block, otherwise an HTML element on one line. */
function mediaMarkdown (type: 'image' | 'video' | 'audio', parts: MarkdownParts, needsHtml: boolean): string {
  const { props, escapeHtml: html, drop } = parts
  const url = text(props, 'url')
  const name = text(props, 'name')
  const caption = text(props, 'caption')
  if (url === '') {
    drop(`${type} without address`)
    return ''
  }
  if (props['showPreview'] === false) return fileMarkdown(parts)
  if (caption === '' && !needsHtml) return `![${escapeLabel(name)}](${destination(url)})`
  const named = name === '' ? '' : ` ${type === 'image' ? 'alt' : 'data-name'}="${html(name)}"`
  const tag = type === 'image' ? `<img${named} src="${html(url)}">` : `<${type} src="${html(url)}"${named} controls></${type}>`
  return caption === '' ? tag : `<figure>${tag}<figcaption>${html(caption)}</figcaption></figure>`
}

function readMedia (element: Element, tag: string, more: (found: Element) => Found['props']): Found | undefined {
  const found = element.tag === 'figure' ? onlyMediumOf(element) : element
  if (found?.tag !== tag) return undefined
  const width = Number.parseInt(found.attributes['width'] ?? '', 10)
  const caption = element === found ? undefined : find(element, 'figcaption')
  return {
    props: {
      url: found.attributes['src'] || firstOfSet(found.attributes['srcset']) || find(found, 'source')?.attributes['src'],
      ...more(found),
      previewWidth: width > 0 ? width : undefined,
      caption: caption && captionText(caption),
    },
  }
}

/** The only medium of a figure with nothing beside it but a plain caption. Other figures are read part by part. */
function onlyMediumOf (figure: Element): Element | undefined {
  const [medium, second] = findAll(figure, mediaTags)
  const captions = findAll(figure, captionTags)
  if (medium === undefined || second !== undefined || captions.length > 1) return undefined
  if (find({ ...figure, tag: 'div' }, 'figure') !== undefined) return undefined
  const caption = captions[0]
  if (caption !== undefined && addressesOf(caption).length > 0) return undefined
  return hasTextBeside(figure, new Set([medium, caption])) ? undefined : medium
}

function hasTextBeside (node: Element, known: ReadonlySet<Element | undefined>): boolean {
  return node.children.some((child) => {
    if (typeof child === 'string') return child.trim() !== ''
    return !known.has(child) && (lostElements.has(child.tag) || hasTextBeside(child, known))
  })
}

/** A caption's lines without the blanks around them. */
function captionText (caption: Element): string {
  return linesOf(caption).replace(/[ \t\r\f]+/g, ' ').trim()
}

function source (props: Props): string {
  const url = text(props, 'url')
  return isSafeMedia(url) ? escapeAttribute(url) : ''
}

/** A preview's width as an attribute; empty if none is set. */
export function width (props: Props): string {
  const value = props['previewWidth']
  return typeof value === 'number' ? ` width="${value}"` : ''
}
