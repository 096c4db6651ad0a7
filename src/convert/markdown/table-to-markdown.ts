import type { TableContent } from '../blocks/block.ts'
import type { MarkdownParts } from '../blocks/block-table.ts'
import { placeCells } from '../blocks/table-shape.ts'

/** BlockNote pads cells to at least 10 characters. */
const minWidth = 10

/** Wider cells are not padded to: one long cell would make every row as long. */
const maxWidth = 120

/**
 * Writes a table with its cells padded. A merged cell stands in its first place and leaves the others empty.
 * @param cellToMarkdown the content of a cell as one line
 */
export function tableToMarkdown (content: TableContent, cellToMarkdown: (cell: TableContent['rows'][number]['cells'][number]) => string, drop: MarkdownParts['drop']): string {
  const { cells, columns } = placeCells(content.rows)
  const widths = new Array<number>(columns).fill(minWidth)
  const rows = content.rows.map((row, index) => {
    const line: string[] = []
    row.cells.forEach((cell, position) => {
      const place = cells[index]?.[position]
      if (place === undefined) return
      if (place.colspan > 1 || place.rowspan > 1) drop('merged cell')
      while (line.length < place.column) line.push('')
      // A pipe ends a cell, even in code; the backslash before it is taken off first.
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
  const separator = alignmentsOf(content, cells, columns, drop).map((align, column) => rule(align, widths[column] ?? minWidth))
  return [formatRow(header, widths), `| ${separator.join(' | ')} |`, ...rows.map((row) => formatRow(row, widths))].join('\n')
}

/** Rows may end early; readers fill them up. All the places of a short row are written while that costs little. */
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

/** The alignment of each column, where all its cells agree. */
function alignmentsOf (content: TableContent, places: ReturnType<typeof placeCells>['cells'], columns: number, drop: MarkdownParts['drop']): string[] {
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
