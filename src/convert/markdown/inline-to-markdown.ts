import type { Inline } from '../blocks/block.ts'
import { destination } from '../blocks/media-blocks.ts'
import {
  characterReference,
  escapeDefinition,
  escapeLineEnd,
  escapeLineStart,
  escapeMarkdown,
  keepFirstBlank,
  type TextContext,
} from './escape-markdown.ts'
import { type Piece, type PieceOptions, toPieces } from './inline-pieces.ts'
import { loneSigns } from './lone-signs.ts'

/** How inline content is written. */
interface InlineOptions extends PieceOptions {
  /** Whether line breaks are `<br>`, as in a heading or a table's cell. */
  oneLine?: boolean
  /** Whether markdown reads back as this content. Called only if marks meet in ways that readers could misread. */
  readsBack: (markdown: string, content: readonly Inline[]) => boolean
}

/** Markdown, and whether readers could misread its marks. */
interface Written { markdown: string, risky: boolean }

/** An address that can be written as `<address>`. Readers differ in how they read a reference in it. */
// eslint-disable-next-line no-control-regex
const automatic = /^[a-z][a-z0-9+.-]{1,31}:(?:[^<>&\u0000-\u0020]|&(?!#?\w+;))*$/i

const noSigns: ReadonlySet<string> = new Set()
/**
 * Characters of one paragraph. Ambiguous marks in a longer one are written as tags, since reading it back would take a
 * hundred times its size.
 */
const maxReadBack = 20_000

const htmlTags: Record<string, string> = { '**': 'strong', '*': 'em', '~~': 'del' }

/** Writes inline content so that it reads back the same: escaped, with its blanks, and with marks only on words. */
export function inlineToMarkdown (content: readonly Inline[], options: InlineOptions): string {
  const pieces = toPieces(content, options)
  if (pieces.length === 0) return ''
  const { markdown, risky } = new InlineWriter(pieces, options, false).write()
  if (!risky) return markdown
  // Beside adjacent delimiters readers differ in how they read surrogate pairs.
  const canRead = markdown.length <= maxReadBack && !/[\ud800-\udfff]/.test(markdown)
  if (canRead && options.readsBack(markdown, content)) return markdown
  return new InlineWriter(pieces, options, true).write().markdown
}

class InlineWriter {
  readonly #pieces: readonly Piece[]
  readonly #options: InlineOptions
  /** Marks as HTML tags, which are never ambiguous. */
  readonly #tags: boolean
  readonly #lone: ReadonlySet<string>
  readonly #lines: string[] = []
  /**
   * The line so far, in parts: reading the last character of a long string that is being built would copy all of it.
   */
  #parts: string[] = []
  #risky = false
  /** Open marks, outermost first. A link is `[` and its address; `at` is its index in the line's parts. */
  readonly #open: Array<{ mark: string, at: number }> = []
  /** Whether no word must follow, because the last delimiter is behind punctuation and would not close. */
  #guardNext = false
  #justClosed = false

  constructor (pieces: readonly Piece[], options: InlineOptions, tags: boolean) {
    this.#pieces = pieces
    this.#options = options
    this.#tags = tags
    this.#lone = loneSigns(pieces, options.table, options.oneLine === true)
    // A dollar can close math that another piece opened.
    const hasDollar = ({ text, href, html }: Piece) => html !== undefined || text.includes('$') || href?.includes('$') === true
    const dollars = pieces.filter(hasDollar)
    this.#risky = dollars.length > 1 || dollars.some(({ html }) => html !== undefined)
  }

  write (): Written {
    this.#pieces.forEach((piece, index) => this.#piece(piece, index))
    this.#closeTo(0)
    this.#endLine()
    const last = this.#lines.length - 1
    this.#lines[last] = escapeLineEnd(this.#lines[last] ?? '')
    const markdown = this.#lines.join('\\\n')
    return { markdown: this.#options.oneLine === true ? markdown : escapeDefinition(markdown), risky: this.#risky }
  }

  #piece (piece: Piece, index: number): void {
    const wanted = marksOf(piece)
    const kept = this.#open.findIndex(({ mark }) => !wanted.has(mark))
    this.#closeTo(kept === -1 ? this.#open.length : kept)
    const source = this.#source(piece, index)
    const missing = [...wanted].filter((mark) => !this.#open.some((open) => open.mark === mark))
    if (missing.length > 1) missing.sort((a, b) => this.#end(b, index) - this.#end(a, index) || rank(a) - rank(b))
    missing.forEach((mark, position) => {
      const inner = missing.slice(position + 1).map((mark) => this.#opening(mark)).join('')
      this.#openMark(mark, inner + source.slice(0, 2))
    })
    if (piece.kind === 'break') this.#break()
    else {
      if (source.startsWith('[')) this.#escapeExclamation()
      this.#emit(source)
    }
  }

  /** Escapes an exclamation mark that would turn the following link into an image. */
  #escapeExclamation (): void {
    const last = this.#parts[this.#parts.length - 1]
    if (last?.endsWith('!') === true) this.#parts[this.#parts.length - 1] = last.slice(0, -1) + '\\!'
  }

  #break (): void {
    if (this.#options.oneLine === true) this.#emit('<br>')
    else this.#endLine()
  }

  #endLine (): void {
    const line = this.#parts.join('')
    const isOneLine = this.#options.oneLine === true
    this.#lines.push(isOneLine ? keepFirstBlank(line) : escapeLineStart(line, this.#lines.length > 0))
    this.#parts = []
    for (const open of this.#open) open.at = -1
    this.#guardNext = this.#justClosed = false
  }

  #emit (source: string): void {
    const first = firstCharacter(source)
    if (this.#guardNext && !surelyBreak(first)) this.#parts.push(characterReference(first), source.slice(first.length))
    else this.#parts.push(source)
    this.#guardNext = this.#justClosed = false
  }

  /** A piece of text as markdown, without the marks around it. */
  #source (piece: Piece, index: number): string {
    if (piece.kind === 'break' || piece.kind === 'element') return this.#tags ? piece.html ?? piece.text : piece.text
    const followed = marksOf(piece).size > 0 || index + 1 < this.#pieces.length
    if (piece.kind === 'text') return escapeMarkdown(piece.text, this.#context(piece.href, followed))
    // A cell drops the backslash before a pipe, in code too.
    const asTags = this.#tags || (this.#options.oneLine === true && piece.text.includes('\\|'))
    if (asTags) return `<code>${escapeMarkdown(piece.text, this.#context(piece.href, true, noSigns))}</code>`
    // Two code spans side by side would be one.
    if (this.#lastCharacter() === '`') this.#risky = true
    return codeSpan(piece.text)
  }

  #context (href: string | undefined, followed: boolean, lone = this.#lone): TextContext {
    const isPlain = href === undefined
    return { lone, brackets: isPlain ? 'all' : 'balanced', linksAddresses: isPlain, followed, everyDollar: this.#tags }
  }

  #opening (mark: string): string {
    return mark.startsWith('[') ? '[' : this.#tags ? `<${this.#tag(mark)}>` : this.#delimiter(mark)
  }

  #openMark (mark: string, following: string): void {
    if (this.#justClosed) this.#risky = true
    const opening = this.#opening(mark)
    if (opening === '[') this.#escapeExclamation()
    else if (!this.#tags) this.#guardOpening(opening, following)
    this.#open.push({ mark, at: this.#parts.length })
    this.#parts.push(opening)
    this.#guardNext = false
  }

  /** Before punctuation a delimiter opens only after a blank or punctuation, so a letter there becomes a reference. */
  #guardOpening (delimiter: string, following: string): void {
    const before = this.#lastCharacter()
    const sign = delimiter.charAt(0)
    if (before === sign) this.#risky = true
    let at = 0
    while (following.charAt(at) === sign) at++
    if (surelyWord(firstCharacter(following.slice(at))) || surelyBreak(before)) return
    const last = this.#parts.pop() ?? ''
    // The delimiter before the letter can depend on it.
    if (last.length === before.length) this.#risky = true
    this.#parts.push(last.slice(0, -before.length), characterReference(before))
  }

  /** Closes all marks from this depth on, innermost first. */
  #closeTo (depth: number): void {
    while (this.#open.length > depth) {
      const open = this.#open.pop()
      if (open === undefined) return
      const { mark, at } = open
      this.#guardNext = !this.#tags && !mark.startsWith('[') && !surelyWord(this.#lastCharacter())
      if (mark.startsWith('[')) this.#closeLink(mark.slice(1), at)
      else this.#parts.push(this.#tags ? `</${this.#tag(mark)}>` : this.#delimiter(mark))
      this.#justClosed = true
    }
  }

  /** Ends a link; one whose text is its address is written `<address>`. */
  #closeLink (href: string, at: number): void {
    const alone = at >= 0 && at === this.#parts.length - 2
    const text = this.#parts[at + 1]
    const isAddress = alone && automatic.test(href) && text === escapeMarkdown(href, this.#context(href, true))
    if (isAddress) this.#parts.splice(at, 2, `<${href}>`)
    else this.#parts.push(`](${destination(href)})`)
  }

  #delimiter (mark: string): string {
    return this.#options.table.marks.get(mark)?.delimiter ?? ''
  }

  #tag (mark: string): string {
    return htmlTags[this.#delimiter(mark)] ?? 'span'
  }

  #lastCharacter (): string {
    for (let index = this.#parts.length - 1; index >= 0; index--) {
      const part = this.#parts[index] ?? ''
      if (part === '') continue
      // A letter outside of the basic plane is two units.
      const code = part.codePointAt(part.length - 2)
      return code !== undefined && code > 0xffff ? part.slice(-2) : part.slice(-1)
    }
    return ''
  }

  /** The index of the last piece that a mark reaches from here. */
  #end (mark: string, start: number): number {
    let end = start
    for (let index = start; index < Math.min(this.#pieces.length, start + 64); index++) {
      const piece = this.#pieces[index]
      if (piece === undefined || !marksOf(piece).has(mark)) break
      end = index
    }
    return end
  }
}

/** The marks of a piece with its link as one of them. */
function marksOf (piece: Piece): Set<string> {
  return piece.href === undefined ? piece.marks : new Set(['[' + piece.href, ...piece.marks])
}

function rank (mark: string): number {
  return mark.startsWith('[') ? 9 : ['bold', 'italic', 'strike'].indexOf(mark)
}

function codeSpan (text: string): string {
  let longest = 0
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length)
  const fence = '`'.repeat(longest + 1)
  const padded = text.startsWith('`') || text.endsWith('`') || (text.startsWith(' ') && text.endsWith(' ') && text.trim() !== '')
  return padded ? `${fence} ${text} ${fence}` : fence + text + fence
}

function firstCharacter (text: string): string {
  const code = text.codePointAt(0)
  return code === undefined ? '' : String.fromCodePoint(code)
}

/** Whether every reader takes the character for a letter, digit or the like. Readers differ beyond the basic plane. */
function surelyWord (character: string): boolean {
  return character.length === 1 && !/[\s\p{P}\p{S}]/u.test(character)
}

/** Whether every reader takes it for a blank or punctuation, or there is no character. */
function surelyBreak (character: string): boolean {
  return character === '' || (character.length === 1 && /[\s\p{P}\p{S}]/u.test(character))
}
