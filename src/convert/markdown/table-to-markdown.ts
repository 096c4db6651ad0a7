import type { TableCell, TableContent } from '../blocks/block.ts'
import type { MarkdownParts } from '../blocks/block-table.ts'
import { type PlacedCell, placeCells } from '../blocks/table-shape.ts'

/** Characters to which BlockNote pads cells at least. */
const minWidth = 10

/** Characters to which cells are padded at most: otherwise one long cell would make every row as long. */
const maxWidth = 120

/**
 * Writes a table with padded cells. A merged cell takes its first place and leaves the others empty.
 * @param cellToMarkdown writes the content of a cell on one line
 */
export function tableToMarkdown (
  content: TableContent,
  cellToMarkdown: (cell: TableCell) => string,
  drop: MarkdownParts['drop']
): string {
  const { cells, columns } = placeCells(content.rows)
  const widths = new Array<number>(columns).fill(minWidth)
  const rows = content.rows.map((row, index) => {
    const line: string[] = []
    row.cells.forEach((cell, position) => {
      const place = cells[index]?.[position]
      if (place === undefined) return
      if (place.colspan > 1 || place.rowspan > 1) drop('merged cell')
      while (line.length < place.column) line.push('')
      // A pipe ends a cell, even in code; readers drop the backslash before it first.
      const text = cellToMarkdown(cell).replaceAll('|', '\\|')
      line.push(text)
      widths[place.column] = Math.max(widths[place.column] ?? 0, Math.min(text.length, maxWidth))
    })
    return line
  })
  if ((content.headerCols ?? 0) > 0 && content.rows.length > 1) drop('header column')
  if ((content.headerRows ?? 0) > 1) drop('second header row')
  const header = (content.headerRows ?? 0) > 0 ? rows.shift() ?? [] : []
  while (header.length < columns) header.push('')
  const alignments = alignmentsOf(content, cells, columns, drop)
  const separator = alignments.map((align, column) => rule(align, widths[column] ?? minWidth))
  const lines = [formatRow(header, widths), `| ${separator.join(' | ')} |`, ...rows.map((row) => formatRow(row, widths))]
  return lines.join('\n')
}

/** A row can end early, since readers complete it. Short rows are written completely, which costs little. */
function formatRow (row: readonly string[], widths: readonly number[]): string {
  const length = Math.max(row.length, Math.min(widths.length, 32))
  let line = '|'
  for (let column = 0; column < length; column++) line += ` ${(row[column] ?? '').padEnd(widths[column] ?? 0)} |`
  return line
}

function rule (align: string, width: number): string {
  const left = align === 'left-set' || align === 'center' ? ':' : '-'
  return left + '-'.repeat(width - 2) + (align === 'center' || align === 'right' ? ':' : '-')
}

/** The alignment of each column if all its cells agree, otherwise left. */
function alignmentsOf (
  content: TableContent,
  places: readonly PlacedCell[][],
  columns: number,
  drop: MarkdownParts['drop']
): string[] {
  const found: Array<string | undefined> = new Array(columns)
  let mixed = false
  content.rows.forEach((row, index) => row.cells.forEach((cell, position) => {
    const column = places[index]?.[position]?.column ?? 0
    const align = String(cell.props['textAlignment'])
    if (found[column] !== undefined && found[column] !== align) mixed = true
    found[column] = found[column] === undefined || found[column] === align ? align : 'left'
  }))
  if (mixed || found.includes('justify')) drop('alignment of a cell')
  return Array.from(found, (align) => align ?? 'left')
}
