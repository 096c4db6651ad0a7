import { append } from '../append.ts'
import { type Block, type Inline, isLink, isText, type Props, type TableContent, type TextRun } from '../blocks/block.ts'
import { type BlockSpec, type BlockTable, dataAttribute, type HtmlParts, isInlineList, type PropSpec } from '../blocks/block-table.ts'
import type { Dropped } from '../dropped.ts'
import { escapeAttribute, escapeHtml } from './escape-html.ts'
import { listNumber } from '../blocks/list-number.ts'
import { isSafeLink } from './safe-url.ts'
import { cellProps } from '../blocks/shared-props.ts'
import { placeCells } from '../blocks/table-shape.ts'
import { cssColorOf } from '../blocks/theme-colors.ts'

/** A piece of the page: a finished element, or a list that can still take items of its own level. */
interface Piece { list?: 'ul' | 'ol', level?: number, start?: number, html: string }

/**
 * Writes blocks as HTML. Lists are real lists; props without a place in HTML are `data-*` attributes, so that
 * `htmlToBlocks` reads the same blocks back.
 * @param origin of the web application, for links between documents
 */
export function blocksToHtml (blocks: readonly Block[], table: BlockTable, dropped: Dropped, origin = ''): string {
  return join(new HtmlWriter(table, dropped, origin).pieces(blocks, 0))
}

/** Writes inline content on one line. */
export function inlineToHtml (content: readonly Inline[], table: BlockTable, dropped: Dropped, origin = ''): string {
  const html = new HtmlWriter(table, dropped, origin).inline(content)
  return hasBlanks([...content]) ? `<span style="white-space: pre-wrap;">${html}</span>` : html
}

class HtmlWriter {
  readonly #table: BlockTable
  readonly #origin: string
  readonly #drop: HtmlParts['drop']

  constructor (table: BlockTable, dropped: Dropped, origin: string) {
    this.#table = table
    this.#origin = origin
    this.#drop = (what, kind = 'format') => dropped.add(kind, what)
  }

  pieces (blocks: readonly Block[], level: number): Piece[] {
    const pieces: Piece[] = []
    let number: number | undefined
    for (const block of blocks) {
      const spec = this.#table.blocks.get(block.type)
      if (spec === undefined) continue
      if (spec.transient === true) {
        this.#drop(`element ${spec.type}`)
        append(pieces, this.pieces(block.children, level))
        continue
      }
      const next = number === undefined ? undefined : number + 1
      number = spec.list === 'ol' ? listNumber(block, number) : undefined
      const last = pieces[pieces.length - 1]
      // Children between two items end the list, and a number out of order begins another.
      const isInOrder = number === (spec.list === 'ol' ? next : undefined)
      const joins = last?.list === spec.list && last?.level === level && isInOrder
      if (spec.list !== undefined && !joins) {
        pieces.push({ list: spec.list, level, html: '', ...number !== undefined && number !== 1 && { start: number } })
      }
      this.#block(block, spec, level, pieces)
    }
    return pieces
  }

  #block (block: Block, spec: BlockSpec, level: number, pieces: Piece[]): void {
    const children = block.children.length === 0 ? [] : this.pieces(block.children, level + 1)
    const inside = takeInside(children, spec)
    const shown = spec.code === true ? undefined : block.content
    const attributes = attributesOf(spec.props, block.props, spec.content === 'inline', shown)
    const html = spec.toHtml({
      props: block.props,
      attributes: level > 0 ? `${attributes} data-nesting-level="${level}"` : attributes,
      inline: this.#content(block.content, spec),
      children: join(inside),
      escape: escapeAttribute,
      drop: this.#drop,
      origin: this.#origin,
    })
    const last = pieces[pieces.length - 1]
    if (spec.list !== undefined && last !== undefined) last.html += html
    else pieces.push({ html })
    append(pieces, children)
  }

  #content (content: Block['content'], spec: BlockSpec): string {
    if (content === undefined) return ''
    return isInlineList(content) ? this.inline(content, spec.code) : this.#rows(content)
  }

  inline (content: readonly Inline[], code = false): string {
    let html = ''
    for (const inline of content) {
      if (isText(inline)) html += this.#run(inline, code)
      else if (isLink(inline)) html += this.#link(inline.href, inline.content)
      else html += this.#element(inline)
    }
    return html
  }

  #run ({ text, styles }: TextRun, code: boolean, wrap?: (inner: string) => string): string {
    let html = escapeHtml(text)
    if (!code && html.includes('\n')) html = html.replaceAll('\n', '<br>')
    if (wrap !== undefined) html = wrap(html)
    const names = Object.keys(styles)
    if (names.length === 0) return html
    const order = this.#table.markOrder
    names.sort((a, b) => (order.get(b) ?? 0) - (order.get(a) ?? 0))
    for (const name of names) {
      const value = styles[name]
      html = this.#table.marks.get(name)?.toHtml(typeof value === 'string' ? value : '', html, escapeAttribute) ?? html
    }
    return html
  }

  #link (href: string, runs: readonly TextRun[]): string {
    const safe = isSafeLink(href)
    if (!safe) this.#drop('unsafe link')
    const start = `<a href="${escapeAttribute(href)}" target="_blank" rel="noopener noreferrer nofollow">`
    let html = ''
    for (const run of runs) html += this.#run(run, false, safe ? (inner) => `${start}${inner}</a>` : undefined)
    return html
  }

  #element (inline: Extract<Inline, { props: Props }>): string {
    const spec = this.#table.inline.get(inline.type)
    if (spec === undefined) return ''
    return spec.toHtml({
      props: inline.props,
      attributes: attributesOf(spec.props, inline.props, false),
      inline: typeof inline.content === 'string' ? escapeHtml(inline.content) : this.inline(inline.content ?? []),
      children: '',
      escape: escapeAttribute,
      drop: this.#drop,
      origin: this.#origin,
    })
  }

  #rows (content: TableContent): string {
    let html = '<colgroup>'
    for (const width of content.columnWidths) html += width === null ? '<col>' : `<col style="width: ${width}px;">`
    html += '</colgroup>'
    const { colspan: _, rowspan: __, ...looks } = cellProps
    const { cells } = placeCells(content.rows)
    content.rows.forEach((row, index) => {
      html += '<tr>'
      row.cells.forEach((cell, position) => {
        const isHeader = index < (content.headerRows ?? 0) || position < (content.headerCols ?? 0)
        const tag = isHeader ? 'th' : 'td'
        const { column = 0, colspan = 1, rowspan = 1 } = cells[index]?.[position] ?? {}
        const widths = content.columnWidths.slice(column, column + colspan)
        const hasWidth = widths.some((width) => width !== null)
        const colwidth = hasWidth ? ` colwidth="${widths.map((width) => width ?? '').join(',')}"` : ''
        const attributes = attributesOf(looks, cell.props, true, cell.content)
        html += `<${tag}${attributes} colspan="${colspan}" rowspan="${rowspan}"${colwidth}>`
        html += `<p>${this.inline(cell.content)}</p></${tag}>`
      })
      html += '</tr>'
    })
    return html
  }
}

/** Takes the children that belong inside the block's element off the list. */
function takeInside (children: Piece[], spec: BlockSpec): Piece[] {
  if (spec.childrenInside === 'all') return children.splice(0)
  if (spec.childrenInside !== 'lists') return []
  const end = children.findIndex((piece) => piece.list === undefined)
  return children.splice(0, end === -1 ? children.length : end)
}

function join (pieces: readonly Piece[]): string {
  let html = ''
  for (const piece of pieces) {
    if (piece.list === undefined) html += piece.html
    else html += `<${piece.list}${piece.start === undefined ? '' : ` start="${piece.start}"`}>${piece.html}</${piece.list}>`
  }
  return html
}

/** Blanks that a browser would drop: at the edge of a line, and behind another. */
const blanks = /^[ \t\r\f]|[ \t\r\f][ \t\r\f\n]|\n[ \t\r\f]|[\t\r\f]|[ \t\r\f]$/

/** Whether the content has blanks that a browser shows only if white space is preserved. */
function hasBlanks (content: Block['content']): boolean {
  return isInlineList(content) && blanks.test(content.map(shownText).join(''))
}

function shownText (inline: Inline): string {
  if (isText(inline)) return inline.text
  return isLink(inline) ? inline.content.map(({ text }) => text).join('') : '-'
}

/**
 * The attributes of an element: `data-*` for every prop that differs from its default, and a style.
 * @param styled whether colours and alignment are in the style too
 * @param content if its blanks count, the style preserves them
 */
export function attributesOf (
  specs: Record<string, PropSpec>,
  props: Props,
  styled: boolean,
  content?: Block['content']
): string {
  let data = ''
  let style = hasBlanks(content) ? 'white-space: pre-wrap; ' : ''
  for (const name in specs) {
    const value = props[name]
    if (value === undefined || value === specs[name]?.default) continue
    data += ` ${dataAttribute(name)}="${escapeAttribute(String(value))}"`
    if (styled) style += declaration(name, String(value))
  }
  return style === '' ? data : ` style="${style.trimEnd()}"${data}`
}

function declaration (name: string, value: string): string {
  if (name === 'textAlignment') return `text-align: ${value}; `
  if (name !== 'backgroundColor' && name !== 'textColor') return ''
  const isText = name === 'textColor'
  const color = cssColorOf(value, isText ? 'text' : 'background')
  return color === undefined ? '' : `${isText ? 'color' : 'background-color'}: ${color}; `
}
