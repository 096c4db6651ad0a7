import type { Dropped } from '../dropped.ts'
import { escapeHtml } from './escape-html.ts'
import { enclosingElements, htmlElements } from './html-elements.ts'

/** How `repairHtml` reads a piece of HTML. */
interface RepairOptions {
  /** Whether the block table reads elements of this name, besides those of HTML. */
  isElement: (tag: string) => boolean
  dropped: Dropped
  /** Whether the piece is inside a line of text, where a `<body>` is a word and never the page's own. */
  inline?: boolean
}

/**
 * Makes a piece of raw HTML in markdown harmless for the rest of the document: a tag that is no element, or that would
 * hide what follows it, becomes text; an element whose content is hidden loses that content. Everything else stays as
 * it is. Linear in its length.
 */
export function repairHtml (html: string, options: RepairOptions): string {
  return new HtmlRepair(html, options).repair()
}

/** The end of a tag that never ends. */
const unended = -1
/** The end of what looks like a tag but is none, for example because a quote is not closed. */
const noTag = -2

const tagName = /<\/?([a-z][^\t\n\f\r />]*)/iy
const space = /[\t\n\f\r /]*/y
const attributeName = /[^\t\n\f\r />][^\t\n\f\r />=]*/y
const attributeValue = /[\t\n\f\r ]*=[\t\n\f\r ]*("[^"]*"|'[^']*'|[^\t\n\f\r >"'][^\t\n\f\r >]*)?/y

/** A tag or comment that is no element of MathML. */
const otherThanMath = /<(?!\/?(?:m[a-z]+|semantics|annotation)[\s/>])/i

class HtmlRepair {
  readonly #html: string
  readonly #options: RepairOptions
  /** The offsets of the end tags of each name, the last first. */
  readonly #ends = new Map<string, number[]>()
  /** The number of open elements of each unknown name. */
  readonly #unknown = new Map<string, number>()
  #repaired = ''

  constructor (html: string, options: RepairOptions) {
    this.#html = html
    this.#options = options
    for (const { 1: name = '', index } of html.matchAll(/<\/([a-z][^\t\n\f\r />]*)/gi)) {
      const known = this.#ends.get(name.toLowerCase())
      if (known === undefined) this.#ends.set(name.toLowerCase(), [index])
      else known.push(index)
    }
    for (const positions of this.#ends.values()) positions.reverse()
  }

  repair (): string {
    const html = this.#html
    let done = 0
    for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', Math.max(done, at + 1))) {
      const end = tokenEnd(html, at)
      if (end === undefined) continue
      this.#repaired += html.slice(done, at)
      // All that follows is inside it.
      if (end === unended) return this.#repaired + html.slice(at).replaceAll('<', '&lt;')
      if (end === noTag) this.#repaired += '&lt;'
      done = end === noTag ? at + 1 : this.#token(at, end)
    }
    return this.#repaired + html.slice(done)
  }

  /** Writes a tag or a comment. @returns the offset behind it */
  #token (start: number, end: number): number {
    const token = this.#html.slice(start, end)
    tagName.lastIndex = 0
    const name = tagName.exec(token)?.[1]?.toLowerCase()
    if (name === undefined) this.#repaired += token
    else if (token.startsWith('</')) this.#repaired += this.#keepsEnd(name, start) ? token : escapeHtml(token)
    else if (enclosingElements.has(name)) return this.#enclosing(name, token, end)
    else this.#repaired += this.#keepsStart(name, start, end) ? token : escapeHtml(token)
    return end
  }

  /** Writes an element without the content that it hides, or its tag as text if it is not closed. */
  #enclosing (name: string, token: string, end: number): number {
    if ((name === 'svg' || name === 'math') && token.endsWith('/>')) {
      this.#repaired += token
      return end
    }
    const close = this.#nextEnd(name, end)
    const closed = close === undefined ? unended : tagEnd(this.#html, close)
    if (close === undefined || closed < 0) {
      this.#repaired += escapeHtml(token)
      return end
    }
    const content = this.#html.slice(end, close)
    if (name === 'xmp') this.#repaired += `<pre>\n${escapeHtml(content)}</pre>`
    else this.#repaired += token + this.#shown(name, content) + `</${name}>`
    return closed
  }

  /** The content to keep: the sources of a video or audio, and a formula if all of it is MathML. */
  #shown (name: string, content: string): string {
    if (name === 'video' || name === 'audio') return repairHtml(content, this.#options)
    return name === 'math' && !otherThanMath.test(content) ? content : ''
  }

  #keepsStart (name: string, start: number, end: number): boolean {
    if (name === 'plaintext' || name === 'frameset' || name === 'frame') return false
    if (name === 'html' || name === 'head' || name === 'body') return this.#isStructure(start)
    if (htmlElements.has(name) || this.#options.isElement(name)) return true
    if (this.#nextEnd(name, end) === undefined) return false
    this.#options.dropped.add('format', `element ${name}`)
    this.#unknown.set(name, (this.#unknown.get(name) ?? 0) + 1)
    return true
  }

  #keepsEnd (name: string, start: number): boolean {
    if (enclosingElements.has(name) || name === 'plaintext') return false
    if (name === 'html' || name === 'head' || name === 'body') return this.#isStructure(start)
    if (htmlElements.has(name) || this.#options.isElement(name)) return true
    const open = this.#unknown.get(name) ?? 0
    if (open > 0) this.#unknown.set(name, open - 1)
    return open > 0
  }

  /** The tags of a page are at the start of a line. */
  #isStructure (start: number): boolean {
    if (this.#options.inline === true) return false
    let at = start - 1
    while (this.#html.charAt(at) === ' ' || this.#html.charAt(at) === '\t') at--
    return at < 0 || this.#html.charAt(at) === '\n'
  }

  #nextEnd (name: string, from: number): number | undefined {
    const positions = this.#ends.get(name) ?? []
    // Lookups are in order, so offsets before this one are not needed again.
    while ((positions[positions.length - 1] ?? from) < from) positions.pop()
    return positions[positions.length - 1]
  }
}

/** The offset behind the tag or comment that begins here, `unended` or `noTag`; undefined if nothing begins here. */
function tokenEnd (html: string, start: number): number | undefined {
  if (html.startsWith('<!--', start)) return commentEnd(html, start)
  tagName.lastIndex = start
  if (tagName.test(html)) return tagEnd(html, start)
  const next = html.charAt(start + 1)
  if (next !== '!' && next !== '?' && next !== '/') return undefined
  const close = nextSign(html, start + 1)
  return close === undefined ? unended : html.charAt(close) === '<' ? noTag : close + 1
}

function nextSign (html: string, from: number): number | undefined {
  const sign = /[<>]/g
  sign.lastIndex = from
  return sign.exec(html)?.index
}

function commentEnd (html: string, start: number): number {
  const close = /^<!--(?:>|->)/.exec(html.slice(start, start + 6))
  if (close !== null) return start + close[0].length
  const end = /--!?>/g
  end.lastIndex = start + 4
  return end.test(html) ? end.lastIndex : unended
}

/** Follows the attributes of a tag as a browser does. */
function tagEnd (html: string, start: number): number {
  tagName.lastIndex = start
  tagName.test(html)
  let at = tagName.lastIndex
  for (;;) {
    at = skip(space, html, at)
    if (at >= html.length) return unended
    if (html.charAt(at) === '>') return at + 1
    const name = at
    at = skip(attributeName, html, at)
    attributeValue.lastIndex = at
    const value = attributeValue.exec(html)
    if (value !== null) at = attributeValue.lastIndex
    if (value !== null && value[1] === undefined && /["']/.test(html.charAt(at))) return unended
    // Neither a name nor a value without quotes can hold these.
    const unquoted = html.slice(name, at).replace(/=[\t\n\f\r ]*(?:"[^"]*"|'[^']*')$/, '')
    if (/["'<]/.test(unquoted)) return noTag
  }
}

function skip (pattern: RegExp, html: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(html) ? pattern.lastIndex : at
}
