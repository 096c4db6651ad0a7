import type { PropSpec } from './block-table.ts'

/** A theme's colour or a CSS one. */
export const backgroundColor: PropSpec = { default: 'default' }
/** A theme's colour or a CSS one. */
export const textColor: PropSpec = { default: 'default' }
/** The alignment of a block's text. */
export const textAlignment: PropSpec = { default: 'left', values: ['left', 'center', 'right', 'justify'] }

/** The props of nearly every block of text in BlockNote. */
export const textProps = { backgroundColor, textColor, textAlignment }

/** The props of a table's cells. The table itself holds the widths of columns. */
export const cellProps: Record<string, PropSpec> = {
  colspan: { default: 1 },
  rowspan: { default: 1 },
  backgroundColor,
  textColor,
  textAlignment,
}
