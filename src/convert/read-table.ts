import { append } from './append.ts'
import type { Block, Inline, TableCell, TableContent } from './block.ts'
import type { Dropped } from './dropped.ts'
import { type Element, type Node, styleOf } from './element.ts'
import { propsOf } from './element-props.ts'
import { cellProps } from './shared-props.ts'
import { boundSpans, countHeaders, span } from './table-shape.ts'

/** Reads what stands in a cell: its text, and the blocks that are no text. */
type CollectCell = (nodes: readonly Node[]) => { content: Inline[], blocks: Block[] }

/** What a table element amounts to. */
export interface ReadTable {
  /** Undefined when it has no cells. */
  content: TableContent | undefined
  captions: Element[]
  /** Blocks that a cell cannot hold; they follow the table. */
  after: Block[]
}

/** Reads a table element. A cell holds text alone: lists and headings become lines of it, pictures follow the table. */
export function readTable (table: Element, collect: CollectCell, dropped: Dropped): ReadTable {
  const after: Block[] = []
  const elements = rowsOf(table).map((row) => row.children.filter((child): child is Element => typeof child !== 'string' && (child.tag === 'td' || child.tag === 'th')))
    .filter((cells) => cells.length > 0)
  const rows = elements.map((cells) => ({ cells: cells.map((cell) => readCell(cell, collect, after)) }))
  const captions = table.children.filter((child): child is Element => typeof child !== 'string' && child.tag === 'caption')
  if (rows.length === 0) return { content: undefined, captions, after }
  if (boundSpans(rows)) dropped.add('format', 'merged cell')
  const styled = columnStyles(table)
  const columnWidths: Array<number | null> = []
  elements[0]?.forEach((cell, index) => append(columnWidths, widthsOf(cell, Number(rows[0]?.cells[index]?.props['colspan']), styled, columnWidths.length)))
  const headers = countHeaders(elements.map((cells) => cells.map((cell) => cell.tag === 'th')))
  return { content: { type: 'tableContent', columnWidths, ...headers, rows }, captions, after }
}

function readCell (cell: Element, collect: CollectCell, after: Block[]): TableCell {
  const align = cell.attributes['align']
  const props = propsOf(cellProps, cell, {
    colspan: span(cell.attributes['colspan']),
    rowspan: span(cell.attributes['rowspan']),
    ...align !== undefined && styleOf(cell, 'text-align') === undefined && { textAlignment: align },
  })
  const { content, blocks } = collect(cell.children)
  flatten(blocks, content, after)
  return { type: 'tableCell', content, props }
}

function rowsOf (table: Element): Element[] {
  return table.children.flatMap((child) => {
    if (typeof child === 'string') return []
    if (child.tag === 'tr') return [child]
    return child.tag === 'thead' || child.tag === 'tbody' || child.tag === 'tfoot' ? rowsOf(child) : []
  })
}

function columnStyles (table: Element): Array<number | null> {
  const group = table.children.find((child): child is Element => typeof child !== 'string' && child.tag === 'colgroup')
  const columns = group?.children.filter((child): child is Element => typeof child !== 'string' && child.tag === 'col') ?? []
  return columns.map((column) => pixels(styleOf(column, 'width') ?? column.attributes['width']))
}

/** The widths of the columns that a cell takes, its own or those of the table's `col` elements from `column` on. */
function widthsOf (cell: Element, colspan: number, styled: ReadonlyArray<number | null>, column: number): Array<number | null> {
  const given = cell.attributes['colwidth']?.split(',')
  return Array.from({ length: colspan }, (_, index) => given === undefined ? styled[column + index] ?? null : pixels(given[index]))
}

/** `120`, `120px`; anything else, a percentage too, is no width. */
function pixels (value: string | undefined): number | null {
  const number = value !== undefined && /^\d+(?:\.\d+)?(?:px)?$/.test(value) ? Number.parseFloat(value) : 0
  return number > 0 ? number : null
}

/** Appends the text of blocks to a cell's content, line by line; blocks without text are kept apart. */
function flatten (blocks: readonly Block[], content: TableCell['content'], rest: Block[]): void {
  for (const block of blocks) {
    if (Array.isArray(block.content)) {
      if (content.length > 0 && block.content.length > 0) appendBreak(content)
      append(content, block.content)
    } else rest.push({ ...block, children: [] })
    flatten(block.children, content, rest)
  }
}

function appendBreak (content: TableCell['content']): void {
  const last = content[content.length - 1]
  if (last !== undefined && last.type === 'text' && 'text' in last) last.text += '\n'
  else content.push({ type: 'text', text: '\n', styles: {} })
}
