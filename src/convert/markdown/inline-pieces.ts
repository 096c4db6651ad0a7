import { elementText, type Inline, type InlineElement, isLink, isText, type TextRun } from '../blocks/block.ts'
import type { BlockTable, MarkdownParts } from '../blocks/block-table.ts'
import { attributesOf } from '../html/blocks-to-html.ts'
import { escapeAttributeLine } from '../html/escape-html.ts'
import { isSafeLink } from '../html/safe-url.ts'
import { escapeMarkdown, escapeProp, type TextContext } from './escape-markdown.ts'

/** A piece of inline content on its way to markdown: text of equal marks, or one thing in it. */
export interface Piece {
  kind: 'text' | 'code' | 'break' | 'element'
  text: string
  /** In no order: their nesting is decided when they are written. */
  marks: Set<string>
  href?: string
  /** Replaces `text` if that would be ambiguous, as math between dollars can be. */
  html?: string
}

/** How inline content becomes pieces. */
export interface PieceOptions {
  table: BlockTable
  drop: MarkdownParts['drop']
  origin: string
}

/** The context of an element's source between its tags. */
const betweenTags: TextContext = { brackets: 'none', linksAddresses: true, followed: true, everyDollar: true }

/**
 * Splits inline content into pieces that markdown can express: without blanks and breaks that are invisible, and with
 * marks only on words.
 */
export function toPieces (content: readonly Inline[], options: PieceOptions): Piece[] {
  const pieces = trimBreaks(trimLineStarts(splitContent(content, options)))
  moveBlanksOut(pieces)
  return joinEqual(pieces)
}

function splitContent (content: readonly Inline[], options: PieceOptions): Piece[] {
  const pieces: Piece[] = []
  for (const inline of content) {
    if (isText(inline)) addRun(inline, undefined, pieces, options)
    else if (isLink(inline)) {
      const safe = isSafeLink(inline.href)
      if (!safe) options.drop('unsafe link')
      for (const run of inline.content) addRun(run, safe ? inline.href : undefined, pieces, options)
    } else {
      const text = elementToMarkdown(inline, options)
      const isSource = options.table.inline.get(inline.type)?.content === 'plain'
      pieces.push({ kind: 'element', text, marks: new Set(), ...isSource && { html: sourceToHtml(inline, options) } })
    }
  }
  return pieces
}

function addRun (run: TextRun, href: string | undefined, pieces: Piece[], { table, drop }: PieceOptions): void {
  const marks = new Set<string>()
  let code = false
  for (const name in run.styles) {
    if (name === 'code') code = true
    else if (table.marks.get(name)?.delimiter !== undefined) marks.add(name)
    else drop(`mark ${name}`)
  }
  run.text.split('\n').forEach((line, index) => {
    if (index > 0) pieces.push({ kind: 'break', text: '', marks: new Set() })
    if (line === '') return
    const linked = href === undefined ? {} : { href }
    if (code) return pieces.push({ kind: 'code', text: line, marks: new Set(marks), ...linked })
    // Blanks at the edges of a run are pieces of their own, so that a mark can begin after them.
    const start = line.length - line.trimStart().length
    const end = Math.max(start, line.trimEnd().length)
    for (const part of [line.slice(0, start), line.slice(start, end), line.slice(end)]) {
      if (part !== '') pieces.push({ kind: 'text', text: part, marks: new Set(marks), ...linked })
    }
  })
}

/** A source as an HTML element on one line. The text between its tags is markdown. */
function sourceToHtml (element: InlineElement, { table, drop, origin }: PieceOptions): string {
  const spec = table.inline.get(element.type)
  const inline = escapeMarkdown(elementText(element), betweenTags).replaceAll('\n', '&#10;')
  const attributes = attributesOf(spec?.props ?? {}, element.props, false)
  const parts = { props: element.props, attributes, inline, children: '', escape: escapeAttributeLine, drop, origin }
  return spec?.toHtml(parts) ?? inline
}

function elementToMarkdown (inline: InlineElement, { table, drop, origin }: PieceOptions): string {
  const spec = table.inline.get(inline.type)
  const text = elementText(inline)
  if (spec?.toMarkdown === undefined) return escapeProp(text)
  return spec.toMarkdown({
    props: inline.props,
    inline: escapeProp(text),
    html: escapeAttributeLine(text),
    text,
    escape: escapeProp,
    escapeHtml: escapeAttributeLine,
    drop,
    origin,
  })
}

/** Drops blanks after a line break, which are invisible and would become references. A link of blanks stays. */
function trimLineStarts (pieces: readonly Piece[]): Piece[] {
  const trimmed: Piece[] = []
  for (const piece of pieces) {
    const afterBreak = piece.kind === 'text' && trimmed[trimmed.length - 1]?.kind === 'break'
    const text = afterBreak ? piece.text.replace(/^[ \t]+/, '') : piece.text
    if (!afterBreak || text !== '') trimmed.push({ ...piece, text })
    else if (piece.href !== undefined) trimmed.push(piece)
  }
  return trimmed
}

/** Drops line breaks at the edges of a paragraph, which are invisible and which markdown cannot express. */
function trimBreaks (pieces: Piece[]): Piece[] {
  let start = 0
  let end = pieces.length
  while (start < end && pieces[start]?.kind === 'break') start++
  while (end > start && pieces[end - 1]?.kind === 'break') end--
  return pieces.slice(start, end)
}

/** Moves blanks and breaks at the edges of marks out of them; those between words stay inside. */
function moveBlanksOut (pieces: Piece[]): void {
  const names = new Set(pieces.flatMap((piece) => [...piece.marks]))
  for (const name of names) {
    let last: number | undefined
    pieces.forEach((piece, index) => {
      const blank = piece.kind === 'break' || (piece.kind === 'text' && piece.text.trim() === '')
      if (blank && (piece.kind === 'break' || piece.marks.has(name))) {
        piece.marks.delete(name)
        return
      }
      if (!piece.marks.has(name)) last = undefined
      else {
        for (let between = (last ?? index) + 1; between < index; between++) pieces[between]?.marks.add(name)
        last = index
      }
    })
  }
}

/** Joins text with equal marks into one piece, since the reading of a character depends on the next one. */
function joinEqual (pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = []
  for (const piece of pieces) {
    const last = joined[joined.length - 1]
    const equal = last?.kind === 'text' && piece.kind === 'text' && last.href === piece.href &&
      last.marks.size === piece.marks.size && [...piece.marks].every((mark) => last.marks.has(mark))
    if (equal) last.text += piece.text
    else joined.push(piece)
  }
  return joined
}
