import { append } from '../append.ts'
import { type Block, type Inline, isLink, isText, type TableCell, type TableContent } from '../blocks/block.ts'
import { isInlineList } from '../blocks/block-table.ts'
import { isHidden, styleOf } from './css.ts'
import type { Dropped } from '../dropped.ts'
import type { Element } from './element.ts'
import { propsOf } from './element-props.ts'
import { InlineBuilder } from '../blocks/inline-builder.ts'
import { cellProps } from '../blocks/shared-props.ts'
import { boundSpans, countHeaders, span } from '../blocks/table-shape.ts'

/**
 * Reads a cell: its text up to the first block, and the blocks from there on.
 * @param around the row and its section
 */
type CollectCell = (cell: Element, around: readonly Element[]) => { content: Inline[], blocks: Block[] }

/** A row: its visible cells, and the elements around them. */
interface Row { cells: Element[], around: Element[] }

/** The contents of a table element. */
interface ReadTable {
  /** Undefined if it has no cells. */
  content: TableContent | undefined
  captions: Element[]
  /** Blocks that a cell cannot hold; they follow the table. */
  after: Block[]
}

/**
 * Reads a table element. A cell holds only text: lists, headings and tables in it become lines, images follow the
 * table, and both are counted.
 */
export function readTable (table: Element, collect: CollectCell, dropped: Dropped): ReadTable {
  const after: Block[] = []
  const read = rowsOf(table, []).filter(({ cells }) => cells.length > 0)
  const rows = read.map(({ cells, around }) => {
    return { cells: cells.map((cell) => readCell(cell, collect(cell, around), after, dropped)) }
  })
  const captions = table.children.filter((child): child is Element => typeof child !== 'string' && child.tag === 'caption')
  if (rows.length === 0) return { content: undefined, captions, after }
  if (boundSpans(rows)) dropped.add('format', 'merged cell')
  const styled = columnStyles(table)
  const columnWidths: Array<number | null> = []
  read[0]?.cells.forEach((cell, index) => {
    const colspan = Number(rows[0]?.cells[index]?.props['colspan'])
    append(columnWidths, widthsOf(cell, colspan, styled, columnWidths.length))
  })
  const headers = countHeaders(read.map(({ cells }) => cells.map((cell) => cell.tag === 'th')))
  return { content: { type: 'tableContent', columnWidths, ...headers, rows }, captions, after }
}

function readCell (
  cell: Element,
  { content, blocks }: ReturnType<CollectCell>,
  after: Block[],
  dropped: Dropped
): TableCell {
  const align = cell.attributes['align']
  const props = propsOf(cellProps, cell, {
    colspan: span(cell.attributes['colspan']),
    rowspan: span(cell.attributes['rowspan']),
    ...align !== undefined && styleOf(cell, 'text-align') === undefined && { textAlignment: align },
  })
  const text = new InlineBuilder()
  addInline(text, content)
  flatten(blocks, text, after, dropped)
  return { type: 'tableCell', content: text.finish(), props }
}

function rowsOf (table: Element, around: Element[]): Row[] {
  return elementsIn(table).flatMap((child) => {
    if (child.tag === 'tr') {
      const cells = elementsIn(child).filter(({ tag }) => tag === 'td' || tag === 'th')
      return [{ cells, around: [...around, child] }]
    }
    const isSection = child.tag === 'thead' || child.tag === 'tbody' || child.tag === 'tfoot'
    return isSection ? rowsOf(child, [...around, child]) : []
  })
}

function elementsIn (node: Element): Element[] {
  return node.children.filter((child): child is Element => typeof child !== 'string' && !isHidden(child))
}

function columnStyles (table: Element): Array<number | null> {
  const group = table.children.find((child): child is Element => typeof child !== 'string' && child.tag === 'colgroup')
  const columns = group?.children.filter((child): child is Element => typeof child !== 'string' && child.tag === 'col') ?? []
  return columns.map((column) => pixels(styleOf(column, 'width') ?? column.attributes['width']))
}

/** The widths of the columns of a cell: its own, or those of the table's `col` elements from `column` on. */
function widthsOf (
  cell: Element,
  colspan: number,
  styled: ReadonlyArray<number | null>,
  column: number
): Array<number | null> {
  const given = cell.attributes['colwidth']?.split(',')
  return Array.from({ length: colspan }, (_, index) => {
    return given === undefined ? styled[column + index] ?? null : pixels(given[index])
  })
}

/** Reads `120` or `120px`. Anything else, also a percentage, is no width. */
function pixels (value: string | undefined): number | null {
  const number = value !== undefined && /^\d+(?:\.\d+)?(?:px)?$/.test(value) ? Number.parseFloat(value) : 0
  return number > 0 ? number : null
}

/** Appends the text of blocks to that of a cell, line by line. @param rest gets the blocks without text */
function flatten (blocks: readonly Block[], text: InlineBuilder, rest: Block[], dropped: Dropped): void {
  for (const { children, ...block } of blocks) {
    if (block.type !== 'paragraph') dropped.add('format', `${block.type} in a cell`)
    if (block.content === undefined) rest.push(withoutCaption(block, text))
    else for (const line of linesOf(block.content)) addLine(text, line)
    flatten(children, text, rest, dropped)
  }
}

/** An image without its caption, which stays in the cell. */
function withoutCaption (block: Omit<Block, 'children'>, text: InlineBuilder): Block {
  const { caption, ...props } = block.props
  if (typeof caption !== 'string') return { ...block, children: [] }
  addLine(text, caption === '' ? [] : [{ type: 'text', text: caption, styles: {} }])
  return { ...block, props: { ...props, caption: '' }, children: [] }
}

/** The text of a block; of a table, its rows with a blank between cells. */
function linesOf (content: Inline[] | TableContent): Inline[][] {
  if (isInlineList(content)) return [content]
  const blank: Inline = { type: 'text', text: ' ', styles: {} }
  return content.rows.map(({ cells }) => {
    return cells.flatMap((cell, index) => index === 0 ? cell.content : [blank, ...cell.content])
  })
}

function addLine (text: InlineBuilder, line: readonly Inline[]): void {
  if (line.length === 0) return
  if (!text.isEmpty) text.text('\n', {})
  addInline(text, line)
}

function addInline (text: InlineBuilder, content: readonly Inline[]): void {
  for (const inline of content) {
    if (isText(inline)) text.text(inline.text, inline.styles)
    else if (isLink(inline)) for (const run of inline.content) text.text(run.text, run.styles, inline.href)
    else text.element(inline)
  }
}
