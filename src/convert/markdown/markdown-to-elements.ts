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

/** How markdown is read where its dialects differ. */
export interface MarkdownOptions {
  /** `break` (BlockNote's way, the default): a line of the source is a line of the block; `space`: CommonMark's, where source lines flow. */
  softBreaks?: 'break' | 'space'
}

/** Raw HTML, which becomes elements once all of it is there. */
const raw = '#html'

/** The line that begins an alert of GitHub's is one of its own, however lines flow. */
const alert = /^\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]$/i

/** What any of markdown's inline rules begins with; text without it, as in most cells and items, is only text. */
const inlineSyntax = /[\n\\`*_~[<&$]/

/** Elements of markdown, and how their text is read: markdown's own blanks count, those of raw HTML do not. */
export interface MarkdownElements { nodes: Node[], whiteSpace: WhiteSpace }

/**
 * Parses markdown into the same elements that HTML becomes, batch by batch: what is read and written can be forgotten before the
 * rest is made. Raw HTML in it is read as a browser would, and since a block of it may open an element that later markdown
 * stands in, such a document is one batch.
 * @param parser `markdownParser`, or `plainMarkdownParser` where tags are text
 * @throws InvalidContent when raw HTML is beyond the limits of `readHtml`
 */
export function * markdownToElements (markdown: string, parser: MarkdownIt, table: BlockTable, dropped: Dropped, options: MarkdownOptions = {}): Generator<MarkdownElements> {
  // Where markdown-it keeps the definitions of links, which text may stand before.
  const env: Env = {}
  const inline = (text: string) => {
    const tokens: Token[] = []
    parser.inline.parse(text, parser, env, tokens)
    return tokens
  }
  const tokens = parser.parse(markdown, env)
  const isPage = tokens.some(({ type }) => type === 'html_block')
  const isElement = (tag: string) => table.blocksByTag.has(tag) || table.inlineByTag.has(tag) || table.marksByTag.has(tag)
  const builder = new ElementBuilder(dropped, inline, { isElement, flow: options.softBreaks === 'space', math: readsMath(table) })
  for (const token of tokens) {
    builder.block(token)
    if (!isPage && builder.isBetweenBlocks) yield { nodes: builder.take(), whiteSpace: 'spaces' }
  }
  const rest = builder.take()
  yield isPage ? { nodes: readHtml(serialize(rest)), whiteSpace: 'collapse' } : { nodes: rest, whiteSpace: 'spaces' }
  for (const { href } of Object.values(env.references ?? {})) {
    // `[//]: # (text)` is how comments are written.
    if (!href.startsWith('#') && !builder.addresses.has(href)) dropped.add('format', 'link definition')
  }
}

interface BuilderOptions {
  isElement: (tag: string) => boolean
  /** A line feed of the source is a blank. */
  flow: boolean
  /** Math is math; otherwise it is text, and no other markdown is read in it. */
  math: boolean
}

class ElementBuilder {
  readonly #root: Element = element('body')
  readonly #open: Element[] = [this.#root]
  readonly #dropped: Dropped
  readonly #parseInline: (text: string) => Token[]
  readonly #options: BuilderOptions
  /** Every address that a link or a picture had so far. */
  readonly addresses = new Set<string>()

  constructor (dropped: Dropped, parseInline: (text: string) => Token[], options: BuilderOptions) {
    this.#dropped = dropped
    this.#parseInline = parseInline
    this.#options = options
  }

  /** Whether all that was begun has ended, and there is something to take. */
  get isBetweenBlocks (): boolean {
    return this.#open.length === 1 && this.#root.children.length > 0
  }

  /** What has been built since it was last asked. */
  take (): Node[] {
    return this.#root.children.splice(0)
  }

  block (token: Token): void {
    if (token.type === 'inline') return this.#inline(token)
    if (token.type === 'fence' || token.type === 'code_block') return this.#code(token)
    if (token.type === 'math_block') this.#append(this.#options.math ? mathElement(token.content, 'block') : element('p', undefined, withBreaks(token.info)))
    else if (token.type === 'html_block') this.#append({ tag: raw, attributes: {}, children: [this.#repair(token.content, false)] })
    else if (token.nesting === 1) this.#push(element(token.tag, blockAttributes(token)))
    else if (token.nesting === -1) this.#pop(token.tag)
    else this.#append(element(token.tag))
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
    const header = closed?.children[0]
    // Markdown needs a header row, tables do not: an empty one above others is none.
    if (tag === 'table' && closed !== undefined && closed.children.length > 1 && header !== undefined && isBlank(header)) closed.children.shift()
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
      // A tag that is left open ends with its paragraph.
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

  /** Whether all that a quote says so far makes it an alert. */
  #isAlert (): boolean {
    const quote = this.#open[this.#open.length - 2]
    const [first, ...others] = this.#top().children
    return quote?.tag === 'blockquote' && quote.children.length === 1 && others.length === 0 && typeof first === 'string' && alert.test(first)
  }

  /** Bold within bold is bold: a run of ten thousand stars nests no deeper than one pair. */
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

  /** A picture's name holds words alone. */
  #plainText (tokens: readonly Token[]): string {
    let plain = ''
    for (const token of tokens) {
      if (token.type === 'link_open' || token.type === 'image') this.#dropped.add('format', 'link in a name')
      if (token.type === 'math_inline') plain += token.info
      else if (token.type === 'softbreak' || token.type === 'hardbreak') plain += ' '
      else if (token.type === 'html_inline') plain += textOf(element('', undefined, readHtmlFragment(this.#repair(token.content, true))))
      else plain += token.children !== null && token.children.length > 0 ? this.#plainText(token.children) : token.content
    }
    return plain
  }

  /** What a browser shows in a tooltip has no place in a block. */
  #title (token: Token, what: string): void {
    if (token.attrGet('title') !== null) this.#dropped.add('format', what)
  }

  /** `[ ]` and `[x]` at the start of an item are its checkbox, unless a backslash or a link definition makes them something else. */
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

/** An attribute of a token, which may be a number. */
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
  return typeof node === 'string' ? node.trim() === '' : node.tag !== 'img' && node.tag !== 'video' && node.children.every(isBlank)
}

/** Markdown's own lines of text. Their blanks count, which a browser is told in this way too. */
const lines = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'td', 'th'])

/** Elements as HTML source, raw pieces as they are. */
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
