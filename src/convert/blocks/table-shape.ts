import type { TableContent } from './block.ts'
import { maxSpan } from '../limits.ts'

/** The place of one cell in the grid. */
export interface PlacedCell { row: number, column: number, colspan: number, rowspan: number }

/** Places the cells of a table, row by row; merged cells push others aside. Time grows with the sum of the colspans. */
export function placeCells (rows: TableContent['rows']): { cells: PlacedCell[][], columns: number } {
  const busyUntil: number[] = []
  const cells: PlacedCell[][] = []
  for (let row = 0; row < rows.length; row++) {
    const placed: PlacedCell[] = []
    let column = 0
    for (const { props } of rows[row]?.cells ?? []) {
      const cell = { colspan: Number(props['colspan']), rowspan: Number(props['rowspan']) }
      while ((busyUntil[column] ?? 0) > row) column++
      placed.push({ row, column, colspan: cell.colspan, rowspan: cell.rowspan })
      for (let end = column + cell.colspan; column < end; column++) {
        while (busyUntil.length < column) busyUntil.push(0)
        busyUntil[column] = row + cell.rowspan
      }
    }
    cells.push(placed)
  }
  return { cells, columns: busyUntil.length }
}

/**
 * Splits merged cells if they make a grid that is far too large for the number of cells: a hundred cells of a thousand
 * columns and rows each would be a grid of a hundred million places.
 * @returns whether it did
 */
export function boundSpans (rows: TableContent['rows']): boolean {
  let cells = 0
  let places = 0
  for (const row of rows) {
    for (const { props } of row.cells) {
      cells++
      places += Number(props['colspan']) * Number(props['rowspan'])
    }
  }
  if (places <= cells * 50 + 10_000) return false
  for (const row of rows) for (const { props } of row.cells) props['colspan'] = props['rowspan'] = 1
  return true
}

/** A span as a whole number from 1 to the limit. */
export function span (value: unknown): number {
  const number = Number(value)
  return number >= 1 ? Math.min(Math.trunc(number), maxSpan) : 1
}

/** `headerRows` and `headerCols`: the rows and the columns from the first on that hold only header cells. */
export function countHeaders (matrix: readonly boolean[][]): Pick<TableContent, 'headerRows' | 'headerCols'> {
  let rows = 0
  while (rows < matrix.length && matrix[rows]?.every(Boolean) === true) rows++
  let columns = 0
  while (columns < (matrix[0]?.length ?? 0) && matrix.every((row) => row[columns] === true)) columns++
  return { ...rows > 0 && { headerRows: rows }, ...columns > 0 && { headerCols: columns } }
}
