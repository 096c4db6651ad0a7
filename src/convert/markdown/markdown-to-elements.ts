import type { Env, MarkdownIt, Token } from 'markdown-it'
import type { BlockTable } from '../blocks/block-table.ts'
import type { WhiteSpace } from '../html/css.ts'
import type { Dropped } from '../dropped.ts'
import { type Element, element, type Node, textOf } from '../html/element.ts'
import { escapeAttribute, escapeHtml } from '../html/escape-html.ts'
import { voidElements } from '../html/html-elements.ts'
import { markdownParser } from './markdown-parser.ts'
import { mathElement, readsMath } from '../blocks/math-blocks.ts'
import { readHtml, readHtmlFragment } from '../html/read-html.ts'
import { repairHtml } from '../html/repair-html.ts'
import { isVideoUrl } from '../blocks/video-url.ts'

/** How markdown is read if its dialects differ. */
export interface MarkdownOptions {
  /** A line break in the source is a `break`, as in BlockNote (the default), or a `space`, as in CommonMark. */
  softBreaks?: 'break' | 'space'
}

/** The tag of raw HTML, which is parsed when all of it is read. */
const raw = '#html'

/** The first line of GitHub's alerts, after which a line break is always a break. */
const alert = /^\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]$/i

/** The first characters of markdown's inline rules. Text without them, as in most cells and items, needs no parsing. */
const inlineSyntax = /[\n\\`*_~[<&$]/

/** Elements of markdown, and how their white space is read: markdown's own blanks count, those of raw HTML do not. */
interface MarkdownElements { nodes: Node[], whiteSpace: WhiteSpace }

/**
 * Parses markdown into the elements of HTML, batch by batch, so that each batch can be written and freed before the
 * next. Raw HTML is read as in a browser. A block of it can open an element around later markdown, so a document with
 * such a block is one batch.
 * @param parser `markdownParser`, or `plainMarkdownParser` to read tags as text
 * @throws InvalidContent if raw HTML exceeds the limits of `readHtml`
 */
export function * markdownToElements (
  markdown: string,
  parser: MarkdownIt,
  table: BlockTable,
  dropped: Dropped,
  options: MarkdownOptions = {}
): Generator<MarkdownElements> {
  // markdown-it keeps the definitions of links in it, which can follow the text that uses them.
  const env: Env = {}
  const inline = (text: string) => {
    const tokens: Token[] = []
    parser.inline.parse(text, parser, env, tokens)
    return tokens
  }
  const tokens = parser.parse(markdown, env)
  const isPage = tokens.some(({ type }) => type === 'html_block')
  const { blocksByTag, inlineByTag, marksByTag } = table
  const isElement = (tag: string) => blocksByTag.has(tag) || inlineByTag.has(tag) || marksByTag.has(tag)
  const builder = new ElementBuilder(dropped, inline, { isElement, flow: options.softBreaks === 'space', math: readsMath(table) })
  for (const token of tokens) {
    builder.block(token)
    if (!isPage && builder.isBetweenBlocks) yield { nodes: builder.take(), whiteSpace: 'spaces' }
  }
  const rest = builder.take()
  yield isPage ? { nodes: readHtml(serialize(rest)), whiteSpace: 'collapse' } : { nodes: rest, whiteSpace: 'spaces' }
  for (const { href } of Object.values(env.references ?? {})) {
    // `[//]: # (text)` is a comment.
    if (!href.startsWith('#') && !builder.addresses.has(href)) dropped.add('format', 'link definition')
  }
}

interface BuilderOptions {
  isElement: (tag: string) => boolean
  /** Whether a line feed of the source is a blank. */
  flow: boolean
  /** Whether math is math; otherwise it is text, in which no other markdown is read. */
  math: boolean
}

class ElementBuilder {
  readonly #root: Element = element('body')
  readonly #open: Element[] = [this.#root]
  readonly #dropped: Dropped
  readonly #parseInline: (text: string) => Token[]
  readonly #options: BuilderOptions
  /** The addresses of all links and images so far. */
  readonly addresses = new Set<string>()

  constructor (dropped: Dropped, parseInline: (text: string) => Token[], options: BuilderOptions) {
    this.#dropped = dropped
    this.#parseInline = parseInline
    this.#options = options
  }

  /** Whether no element is open, and there is something to take. */
  get isBetweenBlocks (): boolean {
    return this.#open.length === 1 && this.#root.children.length > 0
  }

  /** Takes the elements built since the last call. */
  take (): Node[] {
    return this.#root.children.splice(0)
  }

  /** Adds a token of markdown-it's block rules. */
  block (token: Token): void {
    if (token.type === 'inline') return this.#inline(token)
    if (token.type === 'fence' || token.type === 'code_block') return this.#code(token)
    if (token.type === 'math_block') this.#append(this.#math(token))
    else if (token.type === 'html_block') this.#append({ tag: raw, attributes: {}, children: [this.#repair(token.content, false)] })
    else if (token.nesting === 1) this.#push(element(token.tag, blockAttributes(token)))
    else if (token.nesting === -1) this.#pop(token.tag)
    else this.#append(element(token.tag))
  }

  #math (token: Token): Element {
    return this.#options.math ? mathElement(token.content, 'block') : element('p', undefined, withBreaks(token.info))
  }

  #repair (html: string, inline: boolean): string {
    return repairHtml(html, { isElement: this.#options.isElement, dropped: this.#dropped, inline })
  }

  #push (node: Element): void {
    this.#append(node)
    this.#open.push(node)
  }

  #pop (tag: string): void {
    const closed = this.#open.pop()
    if (tag !== 'table' || closed === undefined || closed.children.length < 2) return
    const [header] = closed.children
    // Markdown needs a header row, tables do not: an empty one above others is dropped.
    if (header !== undefined && isBlank(header)) closed.children.shift()
  }

  #append (node: Node): void {
    this.#top().children.push(node)
  }

  #top (): Element {
    return this.#open[this.#open.length - 1] ?? this.#root
  }

  #code (token: Token): void {
    const text = token.content.endsWith('\n') ? token.content.slice(0, -1) : token.content
    const language = markdownParser.utils.unescapeAll(token.info).trim()
    this.#append(element('pre', undefined, [element('code', { 'data-language': language }, text === '' ? [] : [text])]))
  }

  #inline (token: Token): void {
    if (!inlineSyntax.test(token.content)) {
      if (token.content !== '') this.#append(token.content)
      return
    }
    const children = this.#parseInline(token.content)
    const check = this.#takeCheck(token, children)
    if (check !== undefined) this.#open[this.#open.length - 2]?.children.unshift(check)
    const parent = this.#top()
    const start = parent.children.length
    const depth = this.#open.length
    let hasRaw = false
    for (const child of children) {
      if (child.type === 'html_inline') hasRaw = true
      this.#inlineToken(child)
    }
    this.#open.length = depth
    if (hasRaw) {
      // An open tag ends with its paragraph.
      const source = this.#repair(serialize(parent.children.splice(start)), true)
      for (const node of readHtmlFragment(source)) parent.children.push(node)
    }
  }

  #inlineToken (token: Token): void {
    switch (token.type) {
      case 'text':
        if (token.content !== '') this.#append(token.content)
        return
      case 'softbreak':
        // A line feed of the source is a blank, or none at the edge of a line.
        this.#append(this.#options.flow && !this.#isAlert() ? '\n' : element('br'))
        return
      case 'hardbreak':
        this.#append(element('br'))
        return
      case 'code_inline':
        this.#append(element('code', undefined, [token.content]))
        return
      case 'math_inline':
        this.#append(this.#options.math ? mathElement(token.content, 'inline') : token.info)
        return
      case 'html_inline':
        this.#append({ tag: raw, attributes: {}, children: [token.content] })
        return
      case 'image':
        this.#append(this.#picture(token))
        return
      case 'link_open':
        this.#title(token, 'link title')
        this.#push(element('a', { href: this.#address(token, 'href') }))
        return
      default:
        if (token.nesting === 1) this.#openInline(token.tag)
        else if (token.nesting === -1) this.#open.pop()
        else if (token.content !== '') this.#append(token.content)
    }
  }

  /** Whether the text so far is the first line of an alert. */
  #isAlert (): boolean {
    const quote = this.#open[this.#open.length - 2]
    if (quote?.tag !== 'blockquote' || quote.children.length !== 1) return false
    const [first, ...others] = this.#top().children
    return others.length === 0 && typeof first === 'string' && alert.test(first)
  }

  /** Bold within bold is bold, so that a run of ten thousand stars nests no deeper than one pair. */
  #openInline (tag: string): void {
    if (this.#open.some((open) => open.tag === tag)) this.#open.push(this.#top())
    else this.#push(element(tag))
  }

  #picture (token: Token): Element {
    const src = this.#address(token, 'src')
    const name = this.#plainText(token.children ?? [])
    if (isVideoUrl(src)) return element('video', { src, 'data-name': name || text(token, 'title') })
    this.#title(token, 'image title')
    return element('img', { src, alt: name })
  }

  #address (token: Token, attribute: string): string {
    const address = text(token, attribute)
    this.addresses.add(address)
    return address
  }

  /** The name of an image, which is plain text. */
  #plainText (tokens: readonly Token[]): string {
    let plain = ''
    for (const token of tokens) {
      if (token.type === 'link_open' || token.type === 'image') this.#dropped.add('format', 'link in a name')
      if (token.type === 'math_inline') plain += token.info
      else if (token.type === 'softbreak' || token.type === 'hardbreak') plain += ' '
      else if (token.type === 'html_inline') plain += this.#rawText(token.content)
      else if (token.children !== null && token.children.length > 0) plain += this.#plainText(token.children)
      else plain += token.content
    }
    return plain
  }

  #rawText (html: string): string {
    return textOf(element('', undefined, readHtmlFragment(this.#repair(html, true))))
  }

  /** Counts a title, which a browser shows in a tooltip and for which blocks have no place. */
  #title (token: Token, what: string): void {
    if (token.attrGet('title') !== null) this.#dropped.add('format', what)
  }

  /** Takes the checkbox `[ ]` or `[x]` at the start of an item, unless it is escaped or a link. */
  #takeCheck (token: Token, children: Token[]): Element | undefined {
    const item = this.#open[this.#open.length - 2]
    const first = children[0]
    if (item?.tag !== 'li' || item.children.length !== 1 || first?.type !== 'text') return undefined
    const found = /^\[([ xX])\](?: |$)/.exec(first.content)
    if (found === null || !/^\[[ xX]\](?:\s|$)/.test(token.content)) return undefined
    first.content = first.content.slice(found[0].length)
    if (first.content === '' && children[1]?.type === 'softbreak') children.splice(0, 2)
    return element('input', { type: 'checkbox', ...found[1] !== ' ' && { checked: '' } })
  }
}

/** Text with its line breaks as elements. */
function withBreaks (text: string): Node[] {
  return text.split('\n').flatMap((line, index) => index === 0 ? [line] : [element('br'), line])
}

/** An attribute of a token as text. */
function text (token: Token, name: string): string {
  return String(token.attrGet(name) ?? '')
}

function blockAttributes (token: Token): Record<string, string> | undefined {
  if (token.attrs === null) return undefined
  const found: Record<string, string> = {}
  for (const [name, value] of token.attrs) found[name] = String(value)
  return found
}

function isBlank (node: Node): boolean {
  if (typeof node === 'string') return node.trim() === ''
  return node.tag !== 'img' && node.tag !== 'video' && node.children.every(isBlank)
}

/** Elements of markdown's own text, whose blanks count. */
const lines = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'td', 'th'])

/** Elements as HTML source, with raw HTML as it is. */
function serialize (nodes: readonly Node[]): string {
  let html = ''
  for (const node of nodes) {
    if (typeof node === 'string') html += escapeHtml(node)
    else if (node.tag === raw) html += String(node.children[0])
    else {
      html += '<' + node.tag
      const { style = '', ...others } = node.attributes
      for (const name in others) html += ` ${name}="${escapeAttribute(others[name] ?? '')}"`
      if (lines.has(node.tag)) html += ` style="white-space-collapse: preserve-spaces; ${escapeAttribute(style)}"`
      else if (style !== '') html += ` style="${escapeAttribute(style)}"`
      html += '>'
      if (!voidElements.has(node.tag)) html += serialize(node.children) + `</${node.tag}>`
    }
  }
  return html
}
